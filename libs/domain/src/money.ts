import type { ModelPrice, PriceTable, Usage } from '#contracts';

type Rates = Omit<ModelPrice, 'longPrompt'>;

/** Whole numbers for exact sums: a price in US dollars a million tokens, in millionths of a micro-dollar a token. */
const PARTS = 1_000_000;
const exact = (usdPerMillion: number): number => Math.round(usdPerMillion * PARTS);
const microDollars = (parts: number): number => Math.ceil(parts / PARTS);

/** The price of a model; a dated name has the price of the name without its date. */
export function priceOf(prices: PriceTable, model: string): ModelPrice | undefined {
  const known = prices.usdPerMillionTokens;
  const name = [model, model.replace(/-\d{8}$/, '')].find((candidate) => Object.hasOwn(known, candidate));
  return name === undefined ? undefined : known[name];
}

/** What a turn has cost, in micro-dollars, rounded up; undefined for a model that has no price. */
export function costOf(usage: Usage, prices: PriceTable, model: string): number | undefined {
  const price = priceOf(prices, model);
  if (price === undefined) return undefined;
  const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens } = usage;
  const { longPrompt } = price;
  const isLong = longPrompt !== undefined && inputTokens + cacheReadTokens + cacheWriteTokens > longPrompt.above;
  const { input, cacheRead, cacheWrite, output } = isLong ? longPrompt : price;
  return microDollars(
    inputTokens * exact(input) +
      cacheReadTokens * exact(cacheRead) +
      cacheWriteTokens * exact(cacheWrite) +
      outputTokens * exact(output),
  );
}

/**
 * The most that a request may cost, in micro-dollars: all of its prompt (an estimate, in tokens) at the dearest price for
 * input, and an answer of full length. Undefined for a model that has no price.
 */
export function mostOf(
  { promptTokens, maxTokens }: { readonly promptTokens: number; readonly maxTokens: number },
  prices: PriceTable,
  model: string,
): number | undefined {
  const price = priceOf(prices, model);
  if (price === undefined) return undefined;
  const { longPrompt } = price;
  const possible = longPrompt !== undefined && promptTokens > longPrompt.above ? [price, longPrompt] : [price];
  return Math.max(
    ...possible.map((rates) => microDollars(promptTokens * exact(dearest(rates)) + maxTokens * exact(rates.output))),
  );
}

const dearest = ({ input, cacheRead, cacheWrite }: Rates): number => Math.max(input, cacheRead, cacheWrite);
