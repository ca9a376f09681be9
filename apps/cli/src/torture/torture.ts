import { availableParallelism } from 'node:os';
import { Obstacle } from '../errors.js';
import { isDeath } from '../runs/deaths.js';
import { callLengths, endsOf, expectedOf } from './expected.js';
import type { Finding } from './finding.js';
import { type Played, play, type Stage } from './play.js';
import { allPoints, idOf, type Moments, POINT_KINDS, type Point, sampled } from './points.js';
import { judge, type UnsafeCall } from './verdict.js';

/** One point and what came of it. */
export interface Case {
  readonly point: Point;
  readonly ms: number;
  readonly struck: boolean;
  readonly findings: readonly Finding[];
  readonly unsafe: readonly UnsafeCall[];
}

/** Everything that a torture has found. */
export interface Tortured {
  readonly seed: number;
  /** How many points the run has. */
  readonly available: number;
  readonly cases: readonly Case[];
  readonly moments: Moments;
  /** What was not compared, in sentences. */
  readonly leftOut: readonly string[];
}

export interface Wish {
  readonly most: number;
  /** Only this one. */
  readonly point?: Point;
  readonly onUndisturbed: (played: Played) => void;
  readonly onCase: (done: Case, left: readonly Point[]) => void;
}

/** Segments that work at the same time. */
export const PARALLEL = Math.min(6, 2 * availableParallelism());
/** An undisturbed run may take so long, in milliseconds. */
const UNDISTURBED_MS = 30 * 60_000;
/** How often a run is played once more that did not go as it was meant. */
const AGAIN = 4;
/** What the worst disturbance may cost, in milliseconds, on a machine that has other things to do. */
const PATIENCE_MS = 90_000;

/** Plays the run twice undisturbed, then once for each point, and judges each. */
export async function torture(stage: Stage, wish: Wish): Promise<Tortured> {
  const first = await undisturbed(stage, wish);
  const second = await undisturbed(stage, wish);
  const expected = expectedOf(first, second);
  const points = wish.point ? [wish.point] : sampled(first.moments, wish.most, stage.seed);
  const limitMs = Math.round(4 * Math.max(first.ms, second.ms)) + PATIENCE_MS;
  const lengths = callLengths(first.events);
  const cases: Case[] = [];
  const perform = async (point: Point): Promise<void> => {
    const played = await struckBy(stage, point, limitMs, lengths[point.place - 1]);
    const done = { point, ms: played.ms, struck: played.struck, ...judge(expected, played) };
    cases.push(done);
    const over = new Set(cases.map(({ point: other }) => idOf(other)));
    wish.onCase(
      done,
      points.filter((other) => !over.has(idOf(other))),
    );
  };
  await inParallel(
    points.filter(({ kind }) => !POINT_KINDS[kind].alone),
    perform,
  );
  for (const point of points.filter(({ kind }) => POINT_KINDS[kind].alone)) await perform(point);
  const order = new Map(points.map((point, place) => [idOf(point), place]));
  return {
    seed: stage.seed,
    available: allPoints(first.moments).length,
    cases: cases.toSorted((a, b) => (order.get(idOf(a.point)) ?? 0) - (order.get(idOf(b.point)) ?? 0)),
    moments: first.moments,
    leftOut: expected.leftOut,
  };
}

async function undisturbed(stage: Stage, { onUndisturbed }: Wish): Promise<Played> {
  let played = await play(stage, UNDISTURBED_MS);
  // A machine that stands still for seconds, as when it has just started a cluster, disturbs by itself.
  for (let again = 0; again < AGAIN && hasDeath(played); again += 1) played = await play(stage, UNDISTURBED_MS);
  const [end] = endsOf(played.events);
  if (end?.type !== 'RunCompleted') {
    const why = end && 'reason' in end.data ? `: ${end.data.reason}` : '';
    throw new Obstacle(
      `Even undisturbed the run does not complete (${end?.type ?? 'it has not ended'}${why}): mend that first.`,
    );
  }
  onUndisturbed(played);
  return played;
}

const hasDeath = ({ events }: Played): boolean => events.some(isDeath);

async function struckBy(stage: Stage, point: Point, limitMs: number, callMs: number | undefined): Promise<Played> {
  let played = await play(stage, limitMs, point, callMs);
  // A call that is over quickly may be over before the blow falls.
  for (let again = 0; again < AGAIN && isMissedCall(point, played); again += 1) {
    played = await play(stage, limitMs, point, callMs);
  }
  return played;
}

const isMissedCall = ({ kind }: Point, { struck }: Played): boolean => !struck && POINT_KINDS[kind].at === 'call';

async function inParallel(points: readonly Point[], perform: (point: Point) => Promise<void>): Promise<void> {
  const left = [...points];
  const work = async (): Promise<void> => {
    for (let point = left.shift(); point !== undefined; point = left.shift()) await perform(point);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}
