import { Patience } from './patience.js';

describe('the patience with a server', () => {
  let now = 0;
  const patience = () => new Patience({ now: () => now, monotonic: () => now });
  /** How long it is waited for, in seconds. */
  const waitOf = (one: Patience): number => Number(/in (\d+) s/.exec(one.refusal() ?? '')?.[1] ?? 0);

  it('grows while it cannot be reached, to a minute, and begins anew when it was', () => {
    const one = patience();
    const waits = Array.from({ length: 8 }, () => {
      one.failed('It is away.');
      return waitOf(one);
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(one.refusal()).toMatch(/^It is away\. It is tried again/);
    now += 60_000;
    expect(one.refusal()).toBeUndefined();
    one.stands();
    one.failed('It is away.');
    expect(waitOf(one)).toBe(1);
  });

  it('is at its end with one that is lost again and again soon after it was reached', () => {
    const one = patience();
    const waits = Array.from({ length: 6 }, () => {
      one.stands();
      now += 500;
      one.lost('It has ended.');
      return waitOf(one);
    });
    expect(waits).toEqual([0, 0, 0, 1, 2, 4]);
    one.stands();
    now += 60_000;
    one.lost('It has ended.');
    expect(waitOf(one)).toBe(0);
  });
});
