import fc from 'fast-check';
import { firstPace, nextPace, type Pace } from './write-pace.js';

const PER_SECOND = 1_000;

describe('the pace of writing', () => {
  it('lets a burst pass, makes the next one wait, and lets go when the average is down again', () => {
    let pace = firstPace(0, 2_500, PER_SECOND);
    expect(pace).toMatchObject({ budget: 0, frozen: false });
    pace = nextPace(pace, 100, 2_700, PER_SECOND);
    expect(pace).toMatchObject({ budget: -100, frozen: true });
    pace = nextPace(pace, 150, 2_700, PER_SECOND);
    expect(pace).toMatchObject({ budget: -50, frozen: true });
    pace = nextPace(pace, 200, 2_700, PER_SECOND);
    expect(pace).toMatchObject({ budget: 0, frozen: false });
  });

  it('saves up no more than one burst', () => {
    const rested = nextPace(firstPace(0, 0, PER_SECOND), 1_000_000, 0, PER_SECOND);
    expect(rested.budget).toBe(2_500);
  });

  it('holds the average of whoever writes only while he may, and never freezes one that keeps it', () => {
    const looks = fc.array(fc.record({ ms: fc.integer({ min: 1, max: 500 }), bytes: fc.nat({ max: 5_000 }) }));
    fc.assert(
      fc.property(looks, (all) => {
        let pace: Pace = firstPace(0, 0, PER_SECOND);
        let most = 0;
        for (const { ms, bytes } of all) {
          const wrote = pace.frozen ? 0 : bytes;
          most = Math.max(most, wrote);
          pace = nextPace(pace, pace.at + ms, pace.written + wrote, PER_SECOND);
        }
        expect(pace.written).toBeLessThanOrEqual(2_500 + (pace.at / 1_000) * PER_SECOND + most);
      }),
    );
    fc.assert(
      fc.property(looks, (all) => {
        let pace: Pace = firstPace(0, 0, PER_SECOND);
        for (const { ms, bytes } of all) {
          const wrote = Math.min(bytes, (ms / 1_000) * PER_SECOND);
          pace = nextPace(pace, pace.at + ms, pace.written + wrote, PER_SECOND);
          expect(pace.frozen).toBe(false);
        }
      }),
    );
  });
});
