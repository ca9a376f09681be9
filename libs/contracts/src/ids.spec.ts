import fc from 'fast-check';
import { millisOf, momentOf } from './index.js';

describe('a moment', () => {
  const anyMillis = fc.double({ min: -8.64e15, max: 8.64e15, noNaN: true });

  it('is written as the standard library writes it, whatever the year, the sign and the fraction', () => {
    fc.assert(fc.property(anyMillis, (millis) => expect(momentOf(millis)).toBe(new Date(millis).toISOString())));
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 200_000_000 }), (millis) => {
        expect(momentOf(millis)).toBe(new Date(millis).toISOString());
      }),
    );
  });

  it('comes back as the same milliseconds', () => {
    fc.assert(fc.property(anyMillis, (millis) => expect(millisOf(momentOf(millis))).toBe(Math.trunc(millis) + 0)));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 8.65e15])('is none at %d', (millis) => {
    expect(() => momentOf(millis)).toThrow(RangeError);
  });
});
