import type { ModelPrice, PriceTable, Usage } from '#contracts';
import type { Run } from './run.js';

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

/** The simulator plays a model, and nobody is paid for it. */
export const isFree = ({ agent }: { agent: { spec: { model: { name: string } } } }): boolean =>
  agent.spec.model.name === 'simulator';

/** All tokens of a turn together. */
export const tokensOf = ({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: Usage): number =>
  inputTokens + cacheReadTokens + cacheWriteTokens + outputTokens;

/** What a turn has cost, in micro-dollars, rounded up. */
export function costOf(usage: Usage, price: ModelPrice): number {
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
 * input, and an answer of full length.
 */
export function mostOf(
  { promptTokens, maxTokens }: { readonly promptTokens: number; readonly maxTokens: number },
  price: ModelPrice,
): number {
  const { longPrompt } = price;
  const possible = longPrompt !== undefined && promptTokens > longPrompt.above ? [price, longPrompt] : [price];
  return Math.max(
    ...possible.map((rates) => microDollars(promptTokens * exact(dearest(rates)) + maxTokens * exact(rates.output))),
  );
}

const dearest = ({ input, cacheRead, cacheWrite }: Rates): number => Math.max(input, cacheRead, cacheWrite);

/** An answer of fewer tokens is not worth asking for. */
const SHORTEST_ANSWER = 256;

/**
 * How long the next answer may be, in tokens, so that the run's money certainly lasts: it is reserved before the call.
 * 0 when it does not last for an answer that is worth asking for.
 */
export function affordableTokens(run: Run): number {
  const { maxTokens, thinking } = run.agent.spec.model;
  if (run.price === null) return maxTokens;
  const left = run.caps.dollars * 1_000_000 - run.microDollars;
  const prompt = mostOf({ promptTokens: run.contextTokens, maxTokens: 0 }, run.price);
  const perToken = Math.max(run.price.output, run.price.longPrompt?.output ?? 0);
  const affordable = perToken === 0 ? maxTokens : Math.floor((left - prompt) / perToken);
  const needed = SHORTEST_ANSWER + (typeof thinking === 'object' ? thinking.budgetTokens : 0);
  return left > prompt && affordable >= Math.min(needed, maxTokens) ? Math.min(maxTokens, affordable) : 0;
}
