import { type Ears, isLate, prickUp, silentMs, worthAsking } from './silence.js';

const listened = (ticks: readonly (readonly [number, boolean])[]): Ears =>
  ticks.reduce<Ears | undefined>((ears, [now, connected]) => prickUp(ears, now, connected), undefined) as Ears;
const steadily = (until: number) => Array.from({ length: until / 500 + 1 }, (_, n) => [n * 500, true] as const);

describe('silence', () => {
  it('counts from the last sign of life', () => {
    expect(silentMs(listened(steadily(6_000)), 1_000, 6_000)).toBe(5_000);
  });

  it('does not count while the bus is away, and begins anew when it is back', () => {
    const away = [...steadily(1_000), [1_500, false], [9_000, false]] as const;
    expect(silentMs(listened(away), 0, 9_000)).toBe(0);
    expect(silentMs(listened([...away, [9_500, true]]), 0, 9_500)).toBe(0);
    expect(silentMs(listened([...away, [9_500, true], [10_000, true]]), 0, 10_000)).toBe(500);
  });

  it('begins anew when the listener itself was held up', () => {
    expect(silentMs(listened([...steadily(1_000), [20_000, true]]), 0, 20_000)).toBe(0);
  });

  it('is late after a beat and a half has been missed while it could be heard', () => {
    const ears = listened(steadily(8_000));
    expect(isLate(silentMs(ears, 6_500, 8_000), 5_000)).toBe(true);
    expect(isLate(silentMs(ears, 6_600, 8_000), 5_000)).toBe(false);
    expect(isLate(silentMs(listened([...steadily(1_000), [20_000, true]]), 0, 20_000), 5_000)).toBe(false);
  });

  it('is asked about only when somebody was heard before and the ears were open for the full patience', () => {
    const ears = listened(steadily(8_000));
    expect(worthAsking(ears, { at: 6_000, beaten: true }, 8_000, 5_000)).toBe(true);
    expect(worthAsking(ears, { at: 6_600, beaten: true }, 8_000, 5_000)).toBe(false);
    expect(worthAsking(ears, { at: 6_000, beaten: false }, 8_000, 5_000)).toBe(false);
    expect(worthAsking(listened(steadily(4_000)), { at: 0, beaten: true }, 4_000, 5_000)).toBe(false);
  });
});
