import { fraction, idOf, POINT_KINDS, type Point } from './points.js';

/** One point, and the seed that decides what varies in it. */
export interface Trial {
  readonly point: Point;
  readonly seed: number;
}

/** How many points of each kind a deck has. The first has one, so that every kind has been played soon. */
const OF_EACH_KIND = 4;

/**
 * The points in decks, without end: each deck has some of every kind that is left, whichever the seed says. When all are
 * through they come again, with the next seed.
 */
export function* decks(points: readonly Point[], seed: number): Generator<readonly Trial[], void> {
  if (points.length === 0) return;
  for (let round = seed; ; round += 1) {
    const kinds = Object.keys(POINT_KINDS).map((kind) =>
      shuffled(
        points.filter((point) => point.kind === kind),
        round,
      ),
    );
    const longest = Math.max(...kinds.map(({ length }) => length));
    for (let dealt = 0; dealt < longest; dealt += dealt === 0 ? 1 : OF_EACH_KIND) {
      const end = dealt === 0 ? 1 : dealt + OF_EACH_KIND;
      yield kinds.flatMap((kind) => kind.slice(dealt, end)).map((point) => ({ point, seed: round }));
    }
  }
}

const shuffled = (points: readonly Point[], seed: number): readonly Point[] =>
  points
    .map((point) => ({ point, rank: fraction(seed, `deck ${idOf(point)}`) }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ point }) => point);
