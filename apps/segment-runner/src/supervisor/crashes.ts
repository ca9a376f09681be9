import { type Moment, type RunEvent, SEGMENT_OVER_EVENTS } from '#contracts';
import { type Runs, WrongRevision } from '#log';
import { segmentRecorder } from '../recorder.js';
import type { Crash } from './pool.js';

const OVER: ReadonlySet<RunEvent['type']> = new Set(SEGMENT_OVER_EVENTS);

/**
 * Records the deaths of children. A run whose segment died waits for it: what the child has said of itself a moment ago
 * saves reading the run, and where the newest event is its own, that one is all that is read.
 */
export class Crashes {
  constructor(
    private readonly runs: Pick<Runs<'segment-runner'>, 'change' | 'append' | 'events' | 'last'>,
    private readonly runnerId: string,
  ) {}

  /** Records nothing when the run has moved on. @throws Unavailable */
  async record(crash: Crash, at: Moment): Promise<void> {
    const { knownAt } = crash;
    if (knownAt === undefined || !(await this.recordBehind({ ...crash, knownAt }, at))) {
      await this.recordAsFound(crash, at);
    }
  }

  /** False when somebody else has recorded something just then, or when the log is not that of before. */
  private async recordBehind(crash: Known, at: Moment): Promise<boolean> {
    const last = (await this.ownLast(crash)) ?? (await this.lastOfWorking(crash));
    if (last === undefined) return true;
    try {
      await this.runs.append(crash.runId, [ended(crash, at)], last);
      return true;
    } catch (error) {
      if (error instanceof WrongRevision) return false;
      throw error;
    }
  }

  /**
   * The run's last revision when the segment itself has recorded it, at work: it would not have got there after somebody
   * else had declared it over (law 3).
   */
  private async ownLast({ runId, segment }: Crash): Promise<number | undefined> {
    const last = await this.runs.last(runId);
    if (!last || OVER.has(last.event.type)) return undefined;
    const { kind, id } = last.metadata.actor;
    return kind === 'segment' && id === segmentRecorder(this.runnerId, segment).id ? last.revision : undefined;
  }

  /** The run's last revision; undefined when the segment is over. */
  private async lastOfWorking({ runId, knownAt }: Known): Promise<number | undefined> {
    let last = knownAt;
    for await (const { event, revision } of this.runs.events(runId, knownAt + 1)) {
      if (OVER.has(event.type)) return undefined;
      last = revision;
    }
    return last;
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

type Known = Crash & { readonly knownAt: number };

const ended = ({ segment, how }: Crash, at: Moment) => ({
  type: 'SegmentEnded' as const,
  data: { at, segment, reason: 'crashed' as const, detail: how },
});
