import { z } from 'zod';

/** One line of `baton ps`. */
export const ListedProcess = z.object({
  name: z.string(),
  /** Null while no process runs under this name. */
  pid: z.number().int().nullable(),
  port: z.number().int().optional(),
  state: z.string(),
  /** ISO 8601; null when it never ran. */
  startedAt: z.string().nullable(),
  run: z.string().optional(),
  segment: z.number().int().optional(),
  /** How often it was started again after it died. */
  restarts: z.number().int().optional(),
  /** How it ended last, in a few words. */
  lastExit: z.string().optional(),
});
export type ListedProcess = z.infer<typeof ListedProcess>;
