import { retryDelayMs } from './retry.js';

describe('the wait before the next attempt', () => {
  it('doubles its upper end from one second to a minute', () => {
    const ends = [1, 2, 3, 6, 7, 8, 1_000].map((attempt) => retryDelayMs('overloaded', attempt, undefined, 1));
    expect(ends).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('may be anything below that, so that runs do not come back together', () => {
    expect(retryDelayMs('cut-off', 3, undefined, 0)).toBe(0);
    expect(retryDelayMs('cut-off', 3, undefined, 0.25)).toBe(1_000);
  });

  it('is never shorter than the API asked for, and at most a second longer', () => {
    expect(retryDelayMs('rate-limited', 1, 7_000, 0)).toBe(7_000);
    expect(retryDelayMs('rate-limited', 9, 7_000, 1)).toBe(8_000);
    expect(retryDelayMs('rate-limited', 1, 90_000, 0)).toBe(90_000);
  });

  it('does not believe a wait of more than an hour', () => {
    expect(retryDelayMs('rate-limited', 1, 1e15, 0)).toBe(3_600_000);
  });

  it('does not come when the same request would fail again', () => {
    expect(retryDelayMs('invalid-request', 1, 1_000, 0)).toBeUndefined();
    expect(retryDelayMs('authentication', 1, undefined, 0)).toBeUndefined();
  });
});
