import { type Heartbeat, type RunId, type RunnerRef, SEGMENT_OVER_EVENTS } from '#contracts';
import type { Beat, RelayNews, Watched } from '#domain';

/** What the sweeper has heard of one live segment. Moments are its own monotonic milliseconds. */
export interface Segment {
  readonly runId: RunId;
  readonly segment: number;
  /** The last sign of life: a beat, or what it has recorded. */
  heardAt: number;
  beat: { readonly heartbeat: Heartbeat; readonly at: number } | undefined;
  /** The run's last revision at the first look into a silence; what the segment records after it is a sign of life. */
  lookedAt: number | undefined;
  /** Whose it is, as a look into the log has shown. */
  runner: RunnerRef | undefined;
  /** A question or a declaration is on its way. */
  busy: boolean;
}

/** The live segments of all open runs. */
export class Segments {
  private readonly live = new Map<RunId, Segment>();

  *[Symbol.iterator](): Iterator<Segment> {
    yield* this.live.values();
  }

  /** Begins or ends the watch over a segment as the relay goes on. */
  take(runId: RunId, news: Pick<RelayNews, 'type' | 'segment'>, now: number): void {
    if (news.type === 'SegmentStarted' && news.segment !== undefined) this.begin(runId, news.segment, now);
    else if (ENDS.has(news.type)) this.live.delete(runId);
  }

  /** At the sweeper's own start everyone counts as just heard. */
  takeAll(open: ReadonlyMap<RunId, Watched>, now: number): void {
    for (const [runId, { run }] of open) if (run.phase === 'working') this.begin(runId, run.segment, now);
  }

  hear(heartbeat: Heartbeat, now: number): void {
    const segment = this.live.get(heartbeat.runId);
    if (segment?.segment !== heartbeat.segment) return;
    segment.beat = { heartbeat, at: now };
    segment.heardAt = now;
    segment.lookedAt = undefined;
  }

  private begin(runId: RunId, segment: number, now: number): void {
    const unknown = { beat: undefined, lookedAt: undefined, runner: undefined };
    this.live.set(runId, { runId, segment, heardAt: now, ...unknown, busy: false });
  }
}

const ENDS: ReadonlySet<string> = new Set(SEGMENT_OVER_EVENTS);

export const beatOf = ({ beat }: Segment, now: number): Beat | undefined =>
  beat && { heartbeat: beat.heartbeat, ageMs: now - beat.at };
