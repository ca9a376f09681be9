import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPrices } from './prices.js';

describe('the prices of models', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-prices-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const written = (text: string): string => {
    const file = join(folder, 'prices.json');
    writeFileSync(file, text);
    return file;
  };
  const price = { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1.25 };
  const table = { source: 'us', readOn: '2026-11-23', usdPerMillionTokens: { 'our-model': price } };

  it('are shipped, and say where they come from', () => {
    const { usdPerMillionTokens, source } = loadPrices();
    expect(source).toContain('https://');
    expect(Object.keys(usdPerMillionTokens)).toContain('claude-sonnet-5-5');
  });

  it('come from a file in place of them', () => {
    expect(loadPrices(written(JSON.stringify(table)))).toEqual(table);
  });

  it.each([
    ['{', /cannot be read \(BATON_PRICES\)/],
    ['{}', /BATON_PRICES\): source: /],
    [
      JSON.stringify({ ...table, usdPerMillionTokens: { m: { ...price, input: -1 } } }),
      /usdPerMillionTokens\.m\.input: /,
    ],
    [JSON.stringify({ ...table, usdPerMillionTokens: { m: { ...price, inptu: 1 } } }), /inptu/],
  ])('are refused with a sentence when the file holds %s', (text, sentence) => {
    const file = written(text);
    expect(() => loadPrices(file)).toThrow(sentence);
    expect(() => loadPrices(file)).toThrow(file);
  });

  it('are missed with a sentence', () => {
    expect(() => loadPrices(join(folder, 'nowhere.json'))).toThrow(/nowhere\.json cannot be read/);
  });
});
