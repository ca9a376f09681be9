import { allPoints, idOf, inWords, type Moments, POINT_KINDS, pointNamed, sampled } from './points.js';

const MOMENTS: Moments = {
  appends: Array.from({ length: 30 }, (_, place) => `append ${place}`),
  decisions: ['SegmentScheduled', 'RunCompleted'],
  calls: ['bash', 'bash', 'refund', 'bash', 'refund'],
};
const all = allPoints(MOMENTS);

describe('the points of a run', () => {
  it('are every kind of disturbance at every moment that it concerns', () => {
    const count = (kind: keyof typeof POINT_KINDS): number => all.filter((point) => point.kind === kind).length;
    expect([count('child-killed-before'), count('coordinator-killed-after'), count('power-cut-in-call')]).toEqual([
      30, 2, 5,
    ]);
    expect(new Set(all.map(({ kind }) => kind)).size).toBe(Object.keys(POINT_KINDS).length);
    expect(new Set(all.map(idOf)).size).toBe(all.length);
  });

  it('are found again by their names', () => {
    expect(all.map(idOf).map(pointNamed)).toEqual(all);
    expect(['child-killed-before:0', 'nonsense:1', 'toString:1', ''].map(pointNamed)).toEqual(
      Array.from({ length: 4 }, () => undefined),
    );
  });

  it('are all tried when there are few, and sampled evenly from the beginning to the end when there are many', () => {
    expect(sampled(MOMENTS, all.length, 1)).toEqual(all);
    const places = sampled(MOMENTS, 60, 1).map((point) => all.map(idOf).indexOf(idOf(point)));
    expect(places).toHaveLength(60);
    for (let part = 0; part < 4; part += 1) {
      const inPart = places.filter((place) => Math.floor((4 * place) / all.length) === part);
      expect(inPart.length).toBeGreaterThan(10);
    }
    expect(new Set(sampled(MOMENTS, 60, 1).map(({ kind }) => kind)).size).toBeGreaterThan(9);
  });

  it('are the same for the same seed, and others for another one', () => {
    expect(sampled(MOMENTS, 20, 7)).toEqual(sampled(MOMENTS, 20, 7));
    expect(sampled(MOMENTS, 20, 7)).not.toEqual(sampled(MOMENTS, 20, 8));
  });

  it.each([1, 2, 3, 4, 5])('put each tool in doubt once, however few they are (seed %i)', (seed) => {
    expect(sampled(MOMENTS, 3, seed).map(idOf)).toEqual(
      expect.arrayContaining(['power-cut-in-call:1', 'workspace-killed-in-call:3']),
    );
  });

  it('say what happens there', () => {
    expect(inWords({ kind: 'coordinator-killed-before', place: 2 }, MOMENTS)).toBe(
      'decision 2 (RunCompleted): the coordinator is killed before this decision is in the log',
    );
  });
});
