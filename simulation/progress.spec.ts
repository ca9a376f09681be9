import { Progress, wordsOf } from './progress.js';

describe('the progress of a simulation', () => {
  it('says how many cases of a number are played, and how long the others take at this pace', () => {
    const said = wordsOf({ seeds: 10_000, forMs: Number.POSITIVE_INFINITY }, { cases: 2_500, failed: 0, ms: 30_000 });
    expect(said).toBe('2,500 of 10,000 cases, 0 failed · about 90.0 s left');
  });

  it('says what is left of a time', () => {
    const said = wordsOf({ seeds: Number.MAX_SAFE_INTEGER, forMs: 60_000 }, { cases: 700, failed: 2, ms: 45_000 });
    expect(said).toBe('700 cases, 2 failed · about 15.0 s left');
  });

  it('says what ends first where both are wanted', () => {
    const said = wordsOf({ seeds: 1_000, forMs: 3_600_000 }, { cases: 900, failed: 0, ms: 9_000 });
    expect(said).toBe('900 cases, 0 failed · about 1.0 s left');
  });

  it('tells of all workers together, every ten seconds', () => {
    const told: string[] = [];
    let now = 0;
    const progress = new Progress(
      { seeds: 1_000, forMs: Number.POSITIVE_INFINITY },
      () => now,
      (line) => told.push(line),
    );
    for (const seconds of [4, 8, 12, 16, 20, 24]) {
      now = seconds * 1_000;
      progress.note(0, seconds, 0);
      progress.note(1, seconds, 1);
    }
    expect(told).toEqual([
      '20 of 1,000 cases, 0 failed · about 10 min left',
      '44 of 1,000 cases, 0 failed · about 9 min left',
    ]);
  });
});
