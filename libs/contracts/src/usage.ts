import { z } from 'zod';

/** What an agent or a tenant has used: turns of the model and summaries of contexts. */
const counted = {
  /** Runs that were requested. */
  runs: z.int().nonnegative(),
  turns: z.int().nonnegative(),
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  cacheReadTokens: z.int().nonnegative(),
  cacheWriteTokens: z.int().nonnegative(),
  /** As far as prices are known. */
  dollars: z.number().nonnegative(),
  /** Of all these tokens, those of models whose prices nobody knows: they are not in `dollars`. */
  unpricedTokens: z.int().nonnegative(),
};

/** `GET /v1/usage?by=&since=`. */
export const UsageQuery = z.strictObject({
  by: z.enum(['agent', 'tenant']).default('agent'),
  /** The first day that counts, in UTC; all that there are when absent. */
  since: z.iso.date('write a day like 2026-11-01').optional(),
});
export type UsageQuery = z.infer<typeof UsageQuery>;

export const UsageAnswer = z.object({
  by: UsageQuery.shape.by.unwrap(),
  since: z.iso.date().optional(),
  /** The dearest first. */
  rows: z.array(z.object({ name: z.string(), ...counted })),
  total: z.object(counted),
});
export type UsageAnswer = z.infer<typeof UsageAnswer>;
