import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { type ModelPrice, PriceTable, type Usage } from '#contracts';
import { costOf, mostOf, priceOf } from './index.js';

const shipped = PriceTable.parse(JSON.parse(readFileSync(new URL('../../../prices.json', import.meta.url), 'utf8')));
const usage = (part: Partial<Usage>): Usage => ({
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  ...part,
});
const rate = fc.integer({ min: 0, max: 100_000 }).map((thousandths) => thousandths / 1_000);
const rates = { input: rate, output: rate, cacheRead: rate, cacheWrite: rate };
const tables = fc
  .record({
    ...rates,
    longPrompt: fc.option(fc.record({ above: fc.integer({ min: 1, max: 200_000 }), ...rates }), { nil: undefined }),
  })
  .map((m) => PriceTable.parse({ source: 'a test', readOn: '2026-01-01', usdPerMillionTokens: { m } }));
const tokens = fc.integer({ min: 0, max: 300_000 });
const usages = fc.record({
  inputTokens: tokens,
  outputTokens: tokens,
  cacheReadTokens: tokens,
  cacheWriteTokens: tokens,
});
const price = (table: PriceTable, model = 'm'): ModelPrice => {
  const found = priceOf(table, model);
  if (!found) throw new Error(`${model} has no price.`);
  return found;
};
const cost = (spent: Usage, table: PriceTable): number => costOf(spent, price(table));

describe('the cost of a turn', () => {
  it('has a price for each kind of token', () => {
    const model = 'claude-opus-5-5';
    expect(costOf(usage({ inputTokens: 1_000_000 }), price(shipped, model))).toBe(4_000_000);
    expect(costOf(usage({ outputTokens: 1_000_000 }), price(shipped, model))).toBe(20_000_000);
    expect(costOf(usage({ cacheReadTokens: 1_000_000 }), price(shipped, model))).toBe(200_000);
    expect(costOf(usage({ cacheWriteTokens: 1_000_000 }), price(shipped, model))).toBe(5_000_000);
  });

  it('is rounded up, and only once', () => {
    const model = 'claude-haiku-5-5';
    expect(costOf(usage({ inputTokens: 1 }), price(shipped, model))).toBe(1);
    expect(costOf(usage({ inputTokens: 10 }), price(shipped, model))).toBe(1);
    expect(costOf(usage({ inputTokens: 30 }), price(shipped, model))).toBe(3);
    expect(costOf(usage({ inputTokens: 5, outputTokens: 1 }), price(shipped, model))).toBe(1);
  });

  it('has other prices for a long prompt, cached or not', () => {
    const model = 'claude-haiku-5-5';
    expect(costOf(usage({ cacheReadTokens: 99_000, inputTokens: 1_000 }), price(shipped, model))).toBe(1_090);
    expect(costOf(usage({ cacheReadTokens: 99_000, inputTokens: 2_000 }), price(shipped, model))).toBe(5_950);
  });

  it('is the same for a dated name of a model, and unknown for a model without a price', () => {
    expect(priceOf(shipped, 'claude-haiku-4-5-20251001')).toEqual(priceOf(shipped, 'claude-haiku-4-5'));
    for (const model of ['simulator', 'claude-haiku-4', 'constructor', '']) {
      expect(priceOf(shipped, model)).toBeUndefined();
    }
  });

  it('is a whole number that never sinks when a token comes on top, at the same length of prompt', () => {
    fc.assert(
      fc.property(tables, usages, (table, spent) => {
        const before = cost(spent, table);
        expect(Number.isSafeInteger(before) && before >= 0).toBe(true);
        expect(cost({ ...spent, outputTokens: spent.outputTokens + 1 }, table)).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it('is, for two turns at one price, that of both together but for a rounding', () => {
    fc.assert(
      fc.property(tables, usages, tokens, (table, spent, more) => {
        const one = cost(spent, table);
        const other = cost({ ...spent, outputTokens: more }, table);
        const none = cost({ ...spent, outputTokens: 0 }, table);
        const both = cost({ ...spent, outputTokens: spent.outputTokens + more }, table);
        expect(Math.abs(one + other - none - both)).toBeLessThanOrEqual(2);
      }),
    );
  });
});

describe('the most that a request may cost', () => {
  it('is never less than what it costs, however its prompt is cached', () => {
    fc.assert(
      fc.property(tables, usages, tokens, tokens, (table, spent, unused, slack) => {
        const promptTokens = spent.inputTokens + spent.cacheReadTokens + spent.cacheWriteTokens + slack;
        const most = mostOf({ promptTokens, maxTokens: spent.outputTokens + unused }, price(table));
        expect(most).toBeGreaterThanOrEqual(cost(spent, table));
      }),
    );
  });
});
