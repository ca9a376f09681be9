import { z } from 'zod';

export const STRATEGIES = ['RoundRobin', 'DispatchToSingle', 'Pinned', 'PinnedByCorrelation'] as const;
export type StrategyName = (typeof STRATEGIES)[number];

const count = z.number().int().nonnegative();

const settings = z.object({
  resolveLinks: z.boolean(),
  extraStatistics: z.boolean(),
  /** Milliseconds that a consumer has for an event; 0: as long as it likes. */
  messageTimeoutMs: count,
  /** How often an event is sent again before it is parked. */
  maxRetryCount: count,
  checkpointAfterMs: count,
  minCheckpointCount: count,
  maxCheckpointCount: count,
  /** 0: as many as come. */
  maxSubscriberCount: count,
  liveBufferSize: count,
  readBatchSize: count,
  historyBufferSize: count,
  strategy: z.enum(STRATEGIES),
});
export type GroupSettings = z.infer<typeof settings>;

const filter = z.object({
  on: z.enum(['stream', 'type']),
  regex: z.string().optional(),
  prefix: z.array(z.string()).optional(),
});
export type FilterDefinition = z.infer<typeof filter>;

const definition = z.object({
  /** The stream, or `$all`. */
  stream: z.string().min(1),
  group: z.string().min(1),
  /** As it is told to clients: `0`, `-1` (the end) or a revision; for `$all` `C:n/P:n`. */
  startFrom: z.string(),
  /** The place of the last event before the first that the group gets: what "the end" was when the group was made. */
  beginsBeyond: z.number().int(),
  settings,
  filter: filter.optional(),
});
/** A group as it was created or last updated. */
export type GroupDefinition = z.infer<typeof definition>;

/** All groups, as the newest event of `$persistentSubscriptionConfig` has them. */
export const configuration = z.object({
  version: z.literal('2'),
  updated: z.string(),
  updatedBy: z.string(),
  entries: z.array(definition),
});
