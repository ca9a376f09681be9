import { z } from 'zod';
import { Moment } from './ids.js';

/** `not-seen`: it could not be measured from here, which is neither good nor bad. */
export const Verdict = z.enum(['green', 'amber', 'red', 'not-seen']);
export type Verdict = z.infer<typeof Verdict>;

/** One question to a deployment, with what was measured just now. */
export const Check = z.object({
  /** Stable, for programs. */
  id: z.string(),
  question: z.string(),
  verdict: Verdict,
  /** The measured answer, a sentence. */
  measured: z.string(),
  /** The numbers in it; milliseconds end in `Ms`, bytes in `Bytes`. */
  numbers: z.record(z.string(), z.number()),
  /** What to do when it is not green. */
  wayOut: z.string().optional(),
});
export type Check = z.infer<typeof Check>;

/** `GET /v1/doctor`. */
export const Examination = z.object({
  at: Moment,
  version: z.string(),
  /** The worst of the checks. */
  verdict: Verdict,
  checks: z.array(Check),
});
export type Examination = z.infer<typeof Examination>;
