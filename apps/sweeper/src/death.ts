import { momentOf, type RunEvent, type RunEventOf } from '#contracts';
import { liveSegment } from '#domain';
import type { Runs } from '#log';
import type { Clock } from '#platform';
import type { Segment } from './segments.js';

export type Evidence = Extract<RunEventOf['sweeper'], { type: 'RunPresumedDead' }>['data']['evidence'];

/** `alive`: it has recorded something since the look before. `looked`: this was the first look. `over`: it is not live any more. */
export type Finding = 'declared' | 'alive' | 'looked' | 'over';

/** Looks into the log before it says that a segment is dead: what it records there is a sign of life like any other. */
export class Death {
  constructor(
    private readonly runs: Runs<'sweeper'>,
    private readonly clock: Clock,
  ) {}

  /** Remembers how far the run is, or finds that it has gone on since the look before. */
  async look(segment: Segment): Promise<Exclude<Finding, 'declared'>> {
    const run = await this.runs.load(segment.runId);
    if (run?.relay.phase !== 'working' || run.relay.segment !== segment.segment) return 'over';
    segment.runner = run.relay.runner;
    const before = segment.lookedAt;
    segment.lookedAt = run.last.revision;
    if (before === undefined || before === run.last.revision) return 'looked';
    return (await this.hasRecorded(segment, before)) ? 'alive' : 'looked';
  }

  /** Records the death, at the very revision that was looked at; without a look before, or if the run has gone on since, this is the look. */
  async declare(segment: Segment, evidence: Evidence, silentMs: number): Promise<Finding> {
    const { runId, lookedAt } = segment;
    if (lookedAt === undefined) return this.look(segment);
    const data = { at: momentOf(this.clock.now()), segment: segment.segment, evidence, silentMs: Math.round(silentMs) };
    const { recorded } = await this.runs.change(runId, (run) =>
      liveSegment(run) === segment.segment && run.last.revision === lookedAt ? [{ type: 'RunPresumedDead', data }] : [],
    );
    return recorded > 0 ? 'declared' : this.look(segment);
  }

  private async hasRecorded({ runId, segment }: Segment, after: number): Promise<boolean> {
    for await (const { event, metadata } of this.runs.events(runId, after + 1)) {
      if (metadata.actor.kind === 'segment' && segmentOf(event) === segment) return true;
    }
    return false;
  }
}

const segmentOf = ({ data }: RunEvent): number | undefined => ('segment' in data ? data.segment : undefined);
