import { foldRelay, type OpenRun } from './open-runs.js';
import { overdue, rung, type Watched, watched } from './overdue.js';

const requested = foldRelay(undefined, { type: 'RunRequested', revision: 0 }) as OpenRun;
const working: OpenRun = { ...requested, phase: 'working', segment: 1 };
const ringsAt = (entry: Watched, now: number): number => overdue([['a', entry]], now, 10).length;

describe('what is overdue', () => {
  it('is a run that waits for a reaction for three seconds', () => {
    expect(ringsAt(watched(requested, 0), 2_999)).toBe(0);
    expect(overdue([['a', watched(requested, 0)]], 3_000, 10)).toEqual([
      { runId: 'a', whose: 'coordinator', run: requested, nth: 0 },
    ]);
  });

  it('is never a run whose segment works', () => {
    expect(ringsAt(watched(working, 0), 1e9)).toBe(0);
  });

  it('is asked at growing intervals, five minutes at most', () => {
    let entry = watched(requested, 0);
    const moments: number[] = [];
    for (let now = 0; now < 3_600_000; now += 1_000) {
      if (ringsAt(entry, now) === 0) continue;
      moments.push(now);
      entry = rung(entry, now);
    }
    expect(moments.slice(0, 4)).toEqual([3_000, 9_000, 21_000, 45_000]);
    expect(moments.length).toBeLessThan(20);
    expect((moments.at(-1) ?? 0) - (moments.at(-2) ?? 0)).toBe(300_000);
  });

  it('is bounded per round', () => {
    const many = Array.from({ length: 100 }, (_, id) => [id, watched(requested, 0)] as const);
    expect(overdue(many, 5_000, 7)).toHaveLength(7);
  });
});
