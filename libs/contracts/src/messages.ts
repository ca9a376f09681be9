import { z } from 'zod';
import { Moment, RunId, SegmentNumber } from './ids.js';

/** What travels under a subject; the subject's last token is the run's id. */
export interface MessageContract<S extends z.ZodType = z.ZodType> {
  readonly subject: string;
  readonly body: S;
}

/** A doorbell for the coordinator: it says which run to look at, never what happened to it. */
export const AdvanceRun = {
  subject: 'baton.work.run.advance',
  body: z.object({ runId: RunId }),
} as const satisfies MessageContract;
export type AdvanceRun = z.infer<typeof AdvanceRun.body>;

/** The work item of the segment-runners: a segment has been scheduled. */
export const RunSegment = {
  subject: 'baton.work.segment.run',
  body: z.object({ runId: RunId, segment: SegmentNumber }),
} as const satisfies MessageContract;
export type RunSegment = z.infer<typeof RunSegment.body>;

/** The durable consumers of the work: `<app>-<what is done>`. */
export const WORK_CONSUMERS = {
  advanceRun: 'coordinator-advance-run',
  runSegment: 'segment-runner-run-segment',
} as const;

/** Asked on plain NATS as `baton.ask.segment.<runId>.<segment>`: who answers is at work on the segment. */
export const AskSegment = {
  subject: 'baton.ask.segment',
  body: z.object({}),
  answer: z.object({ alive: z.literal(true) }),
} as const;

/** What a segment is doing right now. */
export const Activity = z.object({
  kind: z.enum(['starting', 'model', 'tool', 'compacting', 'backing-off', 'recording', 'handing-off']),
  /** One line for people, e.g. the command that runs. */
  detail: z.string().max(500),
  since: Moment,
  /** The activity's own limit in milliseconds, if it has one: past it the segment is stuck. */
  limitMs: z.number().positive().optional(),
});
export type Activity = z.infer<typeof Activity>;

/** A segment's sign of life, once a second on plain NATS. */
export const Heartbeat = {
  subject: 'baton.beat.segment',
  body: z.object({
    runId: RunId,
    segment: SegmentNumber,
    runnerId: z.string(),
    pid: z.int().positive(),
    sentAt: Moment,
    activity: Activity,
    /** How long the activity has taken, by a clock that never jumps; told by all but older runners. */
    activityAgeMs: z.number().nonnegative().optional(),
    /** The last revision that the segment has recorded. */
    revision: z.int().nonnegative(),
    /** Milliseconds since the loop itself (not the thread that beats) last turned. */
    loopAgeMs: z.number().nonnegative(),
    /** The longest time of late for which others kept the processor from this process, milliseconds; absent if they did not. */
    heldUpMs: z.number().positive().optional(),
  }),
} as const satisfies MessageContract;
export type Heartbeat = z.infer<typeof Heartbeat.body>;

/** A piece of the model's turn as it is being written; for viewers only, never in the log. */
export const LiveDelta = {
  subject: 'baton.live.delta',
  body: z.object({ runId: RunId, segment: SegmentNumber, turn: z.int().positive(), text: z.string() }),
} as const satisfies MessageContract;
export type LiveDelta = z.infer<typeof LiveDelta.body>;
