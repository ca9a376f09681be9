/**
 * Looks at runs and records what should happen next to them.
 *
 * A1  What to do is read from the run's stream, never from what rang; so asking twice does no harm.
 * A2  One look at a time per run. Whoever asks during a look gets another one that begins after it; many share it.
 * A3  A bounded number of looks at a time; those that wait cost an entry each.
 * A4  When the run wants to be looked at later, an alarm is set; a later look replaces it. A look that failed is made
 *     again: nothing else would ring for a run that rests.
 */
import type { RunId } from '#contracts';
import { reconcile } from '#domain';
import type { Runs } from '#log';
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
}

const atOnce = (): Promise<void> => Promise.resolve();

export class Advances {
  private readonly waiting = new Map<RunId, Waiting>();
  private readonly looking = new Set<RunId>();
  private readonly alarms = new Map<RunId, NodeJS.Timeout>();
  private stopped = false;

  constructor(
    private readonly runs: Pick<Runs<'coordinator'>, 'change'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Resolves after a look that began after this call. @throws what reading or appending threw */
  advance(runId: RunId): Promise<void> {
    const shared = this.waiting.get(runId);
    if (shared) return shared.done;
    let begin = atOnce;
    const done = new Promise<void>((resolve, reject) => {
      begin = () => this.look(runId).then(resolve, reject);
    });
    this.waiting.set(runId, { done, begin });
    this.beginLooks();
    return done;
  }

  /** For those who have nobody to tell of a failure: the doorbell on the bus, or the next round, asks again. */
  nudge(runId: RunId): void {
    this.advance(runId).catch((error: unknown) => {
      this.logger.warn({ runId, reason: messageOf(error) }, 'a run could not be advanced; it will be asked again');
    });
  }

  /** Sets no more alarms. Looks that have begun go on. */
  stop(): void {
    this.stopped = true;
    for (const alarm of this.alarms.values()) clearTimeout(alarm);
    this.alarms.clear();
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

  private async look(runId: RunId): Promise<void> {
    let lookAgainAt: number | undefined;
    try {
      const { run } = await this.runs.change(runId, (known) => reconcile(known, this.clock.now()).events);
      // Of the run as it is with what was recorded: a segment that was just scheduled may wait for a runner until its time is over.
      lookAgainAt = reconcile(run, this.clock.now()).lookAgainAt;
    } catch (error) {
      if (!(error instanceof BatonError && HOPELESS.includes(error.remedy))) lookAgainAt = this.clock.now() + AGAIN_MS;
      throw error;
    } finally {
      this.setAlarm(runId, lookAgainAt);
    }
  }

  private setAlarm(runId: RunId, at: number | undefined): void {
    clearTimeout(this.alarms.get(runId));
    this.alarms.delete(runId);
    if (at === undefined || this.stopped) return;
    const sleepMs = Math.min(Math.max(at - this.clock.now(), 0), LONGEST_SLEEP_MS);
    const ring = (): void => {
      if (this.clock.now() < at) return this.setAlarm(runId, at);
      this.alarms.delete(runId);
      this.nudge(runId);
    };
    this.alarms.set(runId, setTimeout(ring, sleepMs).unref());
  }
}
