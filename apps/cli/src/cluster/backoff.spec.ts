import { assert, integer, property } from 'fast-check';
import { BACKOFF, deathsInARow, waitMs } from './backoff.js';

describe('backing off', () => {
  it('doubles the wait with every death in a row, from 100 ms up to 10 s', () => {
    expect([1, 2, 3, 7, 8, 9].map((deaths) => waitMs(deaths, BACKOFF))).toEqual([100, 200, 400, 6400, 10_000, 10_000]);
  });

  it('never waits longer than the most, however often a service died', () => {
    assert(property(integer({ min: 1 }), (deaths) => waitMs(deaths, BACKOFF) <= BACKOFF.mostMs));
  });

  it('forgets earlier deaths once a service has been ready for 4 s', () => {
    expect(deathsInARow(7, 3_999, BACKOFF)).toBe(8);
    expect(deathsInARow(7, 4_000, BACKOFF)).toBe(1);
  });
});
