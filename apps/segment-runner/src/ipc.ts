import { z } from 'zod';
import { RunId, SegmentNumber } from '#contracts';

/** What the supervisor tells a child. */
export const ToChild = z.discriminatedUnion('type', [
  z.object({ type: z.literal('run'), runId: RunId, segment: SegmentNumber, runnerId: z.string() }),
  /** End the segment in an orderly way within its reserve. */
  z.object({ type: z.literal('drain') }),
]);
export type ToChild = z.infer<typeof ToChild>;

/** What a child tells its supervisor. */
export const FromChild = z.discriminatedUnion('type', [
  /** Connected and free for a segment. */
  z.object({ type: z.literal('idle') }),
  /** `SegmentStarted` is in the log. */
  z.object({ type: z.literal('started'), revision: z.int().nonnegative() }),
  /** The run does not wait for this segment (any more): nothing to do. */
  z.object({ type: z.literal('declined') }),
  /** The segment could not be begun now; it should be offered again. */
  z.object({ type: z.literal('unable'), why: z.string() }),
  /** Once a second: the loop turns. `revision`: of the run, when its segment was known to be at work. */
  z.object({ type: z.literal('turning'), revision: z.int().nonnegative().optional() }),
  /** The segment should have ended long ago and cannot be ended from within: its process is to be killed. */
  z.object({ type: z.literal('stuck'), why: z.string() }),
]);
export type FromChild = z.infer<typeof FromChild>;

/** How often a child says that its loop turns, in milliseconds. */
export const TURNING_MS = 1_000;
