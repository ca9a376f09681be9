/**
 * Looks at runs and records what should happen next to them.
 *
 * A1  What to do is decided by the run's events, never by what rang; so asking twice does no harm. A run that was heard of
 *     whole is not read for a decision, which is recorded at its revision. That nothing is to be done is believed without
 *     reading only when no doorbell asks: its message is gone afterwards, and what was heard may be behind the log.
 * A2  One look at a time per run. Whoever asks during a look gets another one that begins after it; many share it.
 * A3  A bounded number of looks at a time; those that wait cost an entry each.
 * A4  When the run wants to be looked at later, an alarm is set; a later look replaces it. A look that failed is made
 *     again: nothing else would ring for a run that rests.
 */
import type { RunId } from '#contracts';
import { type Run, reconcile } from '#domain';
import type { HeardRuns, Runs } from '#log';
import { BatonError, type Clock, type Logger, messageOf, type Remedy } from '#platform';

/** Longer waits are slept in parts: a clock that was set anew then costs a part, and timers cannot overflow. */
const LONGEST_SLEEP_MS = 60_000;
const AGAIN_MS = 10_000;
const LOOKS_AT_ONCE = 32;

/** A run that is not there, or cannot be read, will not be so in ten seconds either. */
const HOPELESS: readonly Remedy[] = ['give-up', 'tell'];

interface Waiting {
  readonly done: Promise<void>;
  readonly begin: () => Promise<void>;
  mustRead: boolean;
}

const atOnce = (): Promise<void> => Promise.resolve();

export interface AdvancesParts {
  readonly runs: Pick<Runs<'coordinator'>, 'change'>;
  readonly heard: Pick<HeardRuns, 'run'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Advances {
  private readonly waiting = new Map<RunId, Waiting>();
  private readonly looking = new Set<RunId>();
  private readonly alarms = new Map<RunId, NodeJS.Timeout>();
  private stopped = false;

  constructor(private readonly parts: AdvancesParts) {}

  /** Resolves after a look that began after this call. @throws what reading or appending threw */
  advance(runId: RunId): Promise<void> {
    return this.ask(runId, true);
  }

  /** For those who have nobody to tell of a failure: the doorbell on the bus, or the next round, asks again. */
  nudge(runId: RunId): void {
    this.ask(runId, false).catch((error: unknown) => {
      this.parts.logger.warn(
        { runId, reason: messageOf(error) },
        'a run could not be advanced; it will be asked again',
      );
    });
  }

  /** Sets no more alarms. Looks that have begun go on. */
  stop(): void {
    this.stopped = true;
    for (const alarm of this.alarms.values()) clearTimeout(alarm);
    this.alarms.clear();
  }

  private ask(runId: RunId, mustRead: boolean): Promise<void> {
    const shared = this.waiting.get(runId);
    if (shared) {
      shared.mustRead ||= mustRead;
      return shared.done;
    }
    let begin = atOnce;
    const done = new Promise<void>((resolve, reject) => {
      begin = () => this.look(runId, asked.mustRead).then(resolve, reject);
    });
    const asked: Waiting = { done, mustRead, begin };
    this.waiting.set(runId, asked);
    this.beginLooks();
    return done;
  }

  private beginLooks(): void {
    for (const [runId, { begin }] of this.waiting) {
      if (this.looking.size >= LOOKS_AT_ONCE) return;
      if (this.looking.has(runId)) continue;
      this.waiting.delete(runId);
      this.looking.add(runId);
      void begin().finally(() => {
        this.looking.delete(runId);
        this.beginLooks();
      });
    }
  }

  private async look(runId: RunId, mustRead: boolean): Promise<void> {
    const { runs, heard, clock } = this.parts;
    const decide = (run: Run) => reconcile(run, clock.now());
    let lookAgainAt: number | undefined;
    try {
      const known = heard.run(runId);
      const suffices = known && (!mustRead || decide(known).events.length > 0);
      const { run } = await runs.change(runId, (now) => decide(now).events, suffices ? known : undefined);
      // Of the run as it is with what was recorded: a segment that was just scheduled may wait for a runner until its time is over.
      lookAgainAt = decide(run).lookAgainAt;
    } catch (error) {
      if (!(error instanceof BatonError && HOPELESS.includes(error.remedy))) lookAgainAt = clock.now() + AGAIN_MS;
      throw error;
    } finally {
      this.setAlarm(runId, lookAgainAt);
    }
  }

  private setAlarm(runId: RunId, at: number | undefined): void {
    clearTimeout(this.alarms.get(runId));
    this.alarms.delete(runId);
    if (at === undefined || this.stopped) return;
    const { clock } = this.parts;
    const sleepMs = Math.min(Math.max(at - clock.now(), 0), LONGEST_SLEEP_MS);
    const ring = (): void => {
      if (clock.now() < at) return this.setAlarm(runId, at);
      this.alarms.delete(runId);
      this.nudge(runId);
    };
    this.alarms.set(runId, setTimeout(ring, sleepMs).unref());
  }
}
