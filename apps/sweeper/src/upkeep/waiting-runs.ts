import type { Bus } from '#bus';
import { momentOf, type RunId, WORK_CONSUMERS } from '#contracts';
import { type Turn, turnOf, type Watched } from '#domain';
import type { Finding, RelayWatch } from '#log';
import type { Clock } from '#platform';

/** So long after the last event, and so many rings later, nobody has reacted. */
const PATIENCE_MS = 45_000;
const RINGS = 3;
/** Above this many they are told together. */
const MOST_BY_NAME = 3;

export interface WaitingRunsParts {
  readonly bus: Pick<Bus, 'consumerState'>;
  readonly watch: RelayWatch;
  readonly clock: Clock;
}

interface Waiting {
  readonly runId: RunId;
  readonly since: number;
  readonly segment: number;
}

/** Finds the runs for which ringing (keeper.ts) does not help: nobody reacts to the doorbell. @throws Unavailable */
export async function unansweredRuns(parts: WaitingRunsParts): Promise<readonly Finding<'sweeper'>[]> {
  const { watch } = parts;
  if (!watch.isReady()) return [];
  const coordinator = waitingFor(parts, 'coordinator').filter(({ rings }) => rings >= RINGS);
  const late = waitingFor(parts, 'runner');
  const pending = late.length === 0 ? 0 : ((await parts.bus.consumerState(WORK_CONSUMERS.runSegment))?.pending ?? 0);
  // What was rung and not taken up waits for a free place, as long as anybody works.
  const isHouseFull = pending > 0 && [...watch.open.values()].some(({ run }) => run.phase === 'working');
  const runner = isHouseFull ? [] : late.filter(({ rings }) => rings >= RINGS || pending > 0);
  return [...notAdvanced(coordinator), ...notStarted(runner)];
}

function waitingFor({ watch, clock }: WaitingRunsParts, turn: Turn): readonly (Waiting & { readonly rings: number })[] {
  const now = clock.monotonic();
  const isLate = ({ run, heardAt }: Watched): boolean => turnOf(run) === turn && now - heardAt >= PATIENCE_MS;
  return [...watch.open]
    .filter(([, entry]) => isLate(entry))
    .map(([runId, { run, heardAt, rings }]) => {
      return { runId, since: clock.now() - (now - heardAt), segment: run.segment, rings };
    });
}

const notAdvanced = (runs: readonly Waiting[]): readonly Finding<'sweeper'>[] =>
  told(runs, 'run-not-advanced', {
    one: ({ runId }) => `Nobody decides what happens next to run ${runId}, however often the coordinator is rung.`,
    many: (count) => `Nobody decides what happens next to ${count} runs, however often the coordinator is rung.`,
    why: 'No coordinator runs, or it cannot read the run.',
    toDo: 'See with `npx baton ps` whether a coordinator runs; its log names the runs that it cannot advance, and why.',
  });

const notStarted = (runs: readonly Waiting[]): readonly Finding<'sweeper'>[] =>
  told(runs, 'segment-not-started', {
    one: ({ runId, segment }) =>
      `Nobody takes up segment ${segment} of run ${runId}, however often the runners are rung.`,
    many: (count) => `Nobody takes up the scheduled segments of ${count} runs, however often the runners are rung.`,
    why: 'No segment-runner runs, or none can start the segment.',
    toDo: 'Start a segment-runner, or see in the log of those that run why they do not start it.',
  });

interface Words {
  readonly one: (run: Waiting) => string;
  readonly many: (count: number) => string;
  readonly why: string;
  readonly toDo: string;
}

function told(
  runs: readonly Waiting[],
  kind: 'run-not-advanced' | 'segment-not-started',
  { one, many, why, toDo }: Words,
): readonly Finding<'sweeper'>[] {
  const outcome = { mended: false as const, why, toDo };
  if (runs.length <= MOST_BY_NAME)
    return runs.map((run) => ({
      kind,
      thing: `run-${run.runId}`,
      runId: run.runId,
      since: momentOf(run.since),
      sentence: one(run),
      outcome,
    }));
  const since = momentOf(Math.min(...runs.map((run) => run.since)));
  return [{ kind, thing: 'many runs', since, sentence: many(runs.length), outcome }];
}
