import { Stillness } from './stillness.js';

/** The verdicts of ticks at these moments, over a loop that turned last before the first. */
const still = (moments: readonly number[]): readonly boolean[] => {
  const stillness = new Stillness(3_000, 1_000);
  return moments.map((now) => stillness.tick(7n, now));
};

describe('stillness', () => {
  it('is over the limit when more ticks than that have seen no turn', () => {
    expect(still([0, 1_000, 2_000, 3_000, 4_000])).toEqual([false, false, false, false, true]);
  });

  it('ends with any turn', () => {
    const stillness = new Stillness(3_000, 1_000);
    const verdicts = Array.from({ length: 20 }, (_, n) => stillness.tick(BigInt(Math.floor(n / 3)), n * 1_000));
    expect(verdicts).not.toContain(true);
  });

  it('does not count a tick that was held up itself, nor the time that it was', () => {
    expect(still([0, 1_000, 2_000, 3_600_000, 3_601_000])).not.toContain(true);
    expect(still([0, 1_000, 2_000, 3_600_000, 3_601_000, 3_602_000])).toContain(true);
  });
});
