import { decks } from './plan.js';
import { allPoints, idOf, type Moments, POINT_KINDS } from './points.js';

const MOMENTS: Moments = {
  appends: Array.from({ length: 9 }, (_, place) => `append ${place}`),
  decisions: ['SegmentScheduled', 'RunCompleted'],
  calls: ['bash', 'refund'],
};
const points = allPoints(MOMENTS);

/** As many trials as there are points, and so many decks. */
function oneRound(seed: number) {
  const dealt = [];
  for (const deck of decks(points, seed)) {
    dealt.push(deck);
    if (dealt.flat().length >= points.length) break;
  }
  return dealt;
}

describe('the points of a torture that has so much time', () => {
  it('begin with one of every kind', () => {
    const [first] = decks(points, 1);
    expect(first?.map(({ point }) => point.kind).toSorted()).toEqual(Object.keys(POINT_KINDS).toSorted());
  });

  it('are all played once before one is played again', () => {
    const trials = oneRound(1).flat();
    expect(trials.map(({ point }) => idOf(point)).toSorted()).toEqual(points.map(idOf).toSorted());
    expect(new Set(trials.map(({ seed }) => seed))).toEqual(new Set([1]));
  });

  it('come again with the next seed, in another order', () => {
    const trials = [];
    for (const deck of decks(points, 1)) {
      trials.push(...deck);
      if (trials.length >= 2 * points.length) break;
    }
    const again = trials.slice(points.length);
    expect(again).toEqual(oneRound(2).flat());
    expect(again.map(({ point }) => point)).not.toEqual(trials.slice(0, points.length).map(({ point }) => point));
  });

  it('are none of a run without any', () => {
    expect([...decks([], 1)]).toEqual([]);
  });
});
