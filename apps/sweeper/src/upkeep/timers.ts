/**
 * Watches over the coordinator's timers: the runs that rest or queue until a moment, an answer's last day or a cap of time.
 *
 * The moment is read from the log once, when the run begins to rest or to queue, and again when it is past; so an open run
 * costs an entry and no reading.
 */
import { type Doorbells, subjectOf } from '#bus';
import { AdvanceRun, momentOf, type RunId } from '#contracts';
import { forgottenAt, type OpenRun, type Run, reconcile, turnOf } from '#domain';
import type { Finding, HeardRuns, RelayWatch, Runs } from '#log';
import type { Clock } from '#platform';

/** How late a timer may be, in milliseconds, before the coordinator is rung. */
const LATE_MS = 10_000;
const AGAIN_MS = 60_000;
const DAY_MS = 86_400_000;
const RINGS = 3;
const LOOKS_A_ROUND = 1_000;
const LOOKS_AT_ONCE = 8;

export interface TimersParts {
  readonly runs: Pick<Runs<'sweeper'>, 'load'>;
  readonly watch: RelayWatch;
  readonly heard: Pick<HeardRuns, 'run'>;
  readonly doorbells: Doorbells;
  readonly clock: Clock;
}

interface Entry {
  /** Of the relay event since which the run waits; another one makes the entry void. */
  readonly revision: number;
  /** When to look again, milliseconds since 1970; `Infinity` for never. */
  readonly at: number;
  /** Since when something is due. */
  readonly dueSince?: number;
  readonly rings: number;
}

export class Timers {
  private readonly entries = new Map<RunId, Entry>();

  constructor(private readonly parts: TimersParts) {}

  /** @throws Unavailable */
  async round(): Promise<readonly Finding<'sweeper'>[]> {
    const { watch, clock } = this.parts;
    if (!watch.isReady()) return [];
    for (const [runId, { revision }] of this.entries)
      if (watch.open.get(runId)?.run.revision !== revision) this.entries.delete(runId);
    const now = clock.now();
    const due = this.due(now);
    const found: Finding<'sweeper'>[] = [];
    while (due.length > 0) {
      const looks = due.splice(0, LOOKS_AT_ONCE).map((runId) => this.look(runId, now));
      found.push(...(await Promise.all(looks)).flat());
    }
    return found;
  }

  /** Those whose moment is known to be past come before those whose moment was never read, however many these are. */
  private due(now: number): RunId[] {
    const [past, unread]: [RunId[], RunId[]] = [[], []];
    for (const [runId, { run }] of this.parts.watch.open) {
      if (!mayBeTimed(run)) continue;
      const entry = this.entries.get(runId);
      if (entry === undefined) unread.push(runId);
      else if (now >= entry.at) past.push(runId);
    }
    return [...past, ...unread].slice(0, LOOKS_A_ROUND);
  }

  private async look(runId: RunId, now: number): Promise<readonly Finding<'sweeper'>[]> {
    const revision = this.parts.watch.open.get(runId)?.run.revision;
    const run = this.parts.heard.run(runId) ?? (await this.parts.runs.load(runId));
    if (!run || revision === undefined) return [];
    const { events, lookAgainAt } = reconcile(run, now);
    if (events.length > 0) return await this.overdue(runId, revision, now);
    const pauseIsLongAt = forgottenAt(run) ?? Number.POSITIVE_INFINITY;
    const isForgotten = now >= pauseIsLongAt;
    const next = Math.min(lookAgainAt ?? Number.POSITIVE_INFINITY, isForgotten ? now + DAY_MS : pauseIsLongAt);
    this.entries.set(runId, { revision, at: next + LATE_MS, rings: 0 });
    return isForgotten ? [forgotten(runId, run)] : [];
  }

  /** What has just become due is the coordinator's; what has been for a while is rung for. */
  private async overdue(runId: RunId, revision: number, now: number): Promise<readonly Finding<'sweeper'>[]> {
    const entry = this.entries.get(runId);
    const dueSince = entry?.dueSince ?? (entry ? entry.at - LATE_MS : now);
    if (now - dueSince < LATE_MS) {
      this.entries.set(runId, { revision, at: dueSince + LATE_MS, dueSince, rings: 0 });
      return [];
    }
    const rings = (entry?.rings ?? 0) + 1;
    const messageId = `timers/${runId}/${revision}/${dueSince}/${rings}`;
    await this.parts.doorbells.ring({ subject: subjectOf(AdvanceRun, runId), body: { runId }, messageId });
    this.entries.set(runId, { revision, at: now + AGAIN_MS, dueSince, rings });
    return rings === 1 || rings === RINGS ? [late(runId, dueSince, rings)] : [];
  }
}

/** Nobody's turn is a rest or a pause; a queued run uses up its minutes while it waits for a runner. */
const mayBeTimed = (run: OpenRun): boolean => ['nobody', 'runner'].includes(turnOf(run));

const late = (runId: RunId, dueSince: number, rings: number): Finding<'sweeper'> => ({
  kind: 'timer-not-fired',
  thing: `run-${runId}`,
  runId,
  since: momentOf(dueSince),
  sentence: `The time of run ${runId} was over at ${momentOf(dueSince)}, and nothing was decided.`,
  outcome:
    rings < RINGS
      ? { mended: true, how: 'The coordinator was rung.' }
      : {
          mended: false,
          why: `The coordinator was rung ${rings} times and has decided nothing.`,
          toDo: 'See with `npx baton ps` whether a coordinator runs, whether its clock is right, and what its log says of the run.',
        },
});

const forgotten = (runId: RunId, { since }: Run): Finding<'sweeper'> => ({
  kind: 'run-paused-long',
  thing: `run-${runId}`,
  runId,
  since,
  sentence: `Run ${runId} is paused since ${since}, longer than a question would wait for its answer.`,
  outcome: {
    mended: false,
    why: 'A pause has no end of its own: a person wanted it.',
    toDo: `\`npx baton resume ${runId}\` or \`npx baton cancel ${runId}\`.`,
  },
});
