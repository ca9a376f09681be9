import { type Moment, type RunEvent, SEGMENT_OVER_EVENTS } from '#contracts';
import { type Runs, WrongRevision } from '#log';
import type { Crash } from './pool.js';

const OVER: ReadonlySet<RunEvent['type']> = new Set(SEGMENT_OVER_EVENTS);

/**
 * Records the deaths of children. A run whose segment died waits for it: what the child has said of itself a moment ago
 * saves reading the run.
 */
export class Crashes {
  constructor(
    private readonly runs: Pick<Runs<'segment-runner'>, 'change' | 'append' | 'events'>,
    private readonly runnerId: string,
  ) {}

  /** Records nothing when the run has moved on. @throws Unavailable */
  async record(crash: Crash, at: Moment): Promise<void> {
    if (crash.knownAt === undefined) await this.recordAsFound(crash, at);
    else while (!(await this.recordBehind(crash, crash.knownAt, at)));
  }

  /** False when somebody else has recorded something just then. */
  private async recordBehind(crash: Crash, knownAt: number, at: Moment): Promise<boolean> {
    let last = knownAt;
    for await (const { event, revision } of this.runs.events(crash.runId, knownAt + 1)) {
      if (OVER.has(event.type)) return true;
      last = revision;
    }
    try {
      await this.runs.append(crash.runId, [ended(crash, at)], last);
      return true;
    } catch (error) {
      if (error instanceof WrongRevision) return false;
      throw error;
    }
  }

  /** A segment that this child had not begun is nobody's loss: by now another one may be at work on it. */
  private async recordAsFound(crash: Crash, at: Moment): Promise<void> {
    await this.runs.change(crash.runId, ({ relay }) => {
      const isOurs = relay.phase === 'working' && relay.segment === crash.segment;
      const { runnerId, pid } = isOurs ? relay.runner : {};
      return runnerId === this.runnerId && pid === crash.pid ? [ended(crash, at)] : [];
    });
  }
}

const ended = ({ segment, how }: Crash, at: Moment) => ({
  type: 'SegmentEnded' as const,
  data: { at, segment, reason: 'crashed' as const, detail: how },
});
