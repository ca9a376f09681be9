import { z } from 'zod';

/** US dollars for a million tokens. */
const usd = z.number().nonnegative().max(1_000_000);

const rates = {
  input: usd,
  output: usd,
  /** Input that was found in the prompt cache. */
  cacheRead: usd,
  /** Input that was written into the prompt cache (for five minutes, as Baton asks for it). */
  cacheWrite: usd,
};

/** What a model costs. */
export const ModelPrice = z.strictObject({
  ...rates,
  /** The prices of requests whose prompt, cached or not, is longer than `above` tokens. */
  longPrompt: z.strictObject({ above: z.int().positive(), ...rates }).optional(),
});
export type ModelPrice = z.infer<typeof ModelPrice>;

/** A file of prices. Prices change: it says where they were read, and when. */
export const PriceTable = z.strictObject({
  source: z.string().min(1),
  readOn: z.iso.date(),
  /** By the model's name; a dated name (`…-20251001`) has the price of the name without its date. */
  usdPerMillionTokens: z.record(z.string().min(1), ModelPrice),
});
export type PriceTable = z.infer<typeof PriceTable>;
