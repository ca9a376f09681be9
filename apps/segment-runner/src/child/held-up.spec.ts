import { HeldUp } from './held-up.js';

const TICK_MS = 250;

/** What is told at the last of these ticks, which come the given milliseconds after one another. */
function toldAfter(...pauses: readonly number[]): number {
  const heldUp = new HeldUp(TICK_MS);
  let now = 0;
  let told = heldUp.tick(now);
  for (const pause of pauses) {
    now += pause;
    told = heldUp.tick(now);
  }
  return told;
}
const steadily = (ms: number): number[] => Array.from({ length: ms / TICK_MS }, () => TICK_MS);

describe('a process that was held up', () => {
  it('is not one whose ticks come in time, or a little late', () => {
    expect(toldAfter(...steadily(1_000), 1_249)).toBe(0);
  });

  it('tells for how long, at its first tick and for a quarter of a minute', () => {
    expect(toldAfter(250, 4_250)).toBe(4_000);
    expect(toldAfter(250, 4_250, ...steadily(14_750))).toBe(4_000);
    expect(toldAfter(250, 4_250, ...steadily(15_000))).toBe(0);
  });

  it('tells the longest time of late', () => {
    expect(toldAfter(4_250, 1_250)).toBe(4_000);
    expect(toldAfter(4_250, ...steadily(12_000), 2_250, ...steadily(14_000))).toBe(4_000);
    expect(toldAfter(4_250, ...steadily(15_000), 2_250)).toBe(2_000);
  });
});
