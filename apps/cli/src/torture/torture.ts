import { availableParallelism } from 'node:os';
import type { RunId } from '#contracts';
import { callLengths, endsOf } from './expected.js';
import { doubled, type Finding } from './finding.js';
import { decks, type Trial } from './plan.js';
import { eventsAfter, type Played, play, type Stage } from './play.js';
import { allPoints, idOf, type Moments, POINT_KINDS, type Point, sampled } from './points.js';
import { playUndisturbed } from './undisturbed.js';
import { judge, type UnsafeCall } from './verdict.js';

/** One point and what came of it. */
export interface Case extends Trial {
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
  /** The person has left before everything was played. */
  readonly isStopped: boolean;
}

/** What is to be played, now that the run is known. */
export interface Planned {
  readonly undisturbedMs: number;
  readonly available: number;
  readonly points: readonly Point[];
}

export interface Wish {
  /** At most so many points. */
  readonly most: number;
  /** Rather these. */
  readonly only?: readonly Point[];
  /** Rather all of them, again and again with other seeds, for so many milliseconds from the first disturbance on. */
  readonly forMs?: number;
  readonly onPlanned: (planned: Planned) => void;
  /** `left`: the points that have not been played at all. */
  readonly onCase: (done: Case, left: readonly Point[]) => void;
}

/** Segments that work at the same time. */
export const PARALLEL = Math.min(6, 2 * availableParallelism());
/** How often a call is struck once more that was over before the blow fell. */
const AGAIN = 4;
/** What the worst disturbance may cost, in milliseconds, on a machine that has other things to do. */
const PATIENCE_MS = 90_000;

/** Plays the run twice undisturbed, then with a disturbance for each point, and judges each. */
export async function torture(stage: Stage, wish: Wish): Promise<Tortured> {
  const undisturbed = await playUndisturbed(stage);
  const { moments, events } = undisturbed.run;
  const points = pointsFor(wish, moments, stage.seed);
  const available = allPoints(moments).length;
  wish.onPlanned({ undisturbedMs: undisturbed.ms, available, points });
  const limitMs = Math.round(4 * undisturbed.ms) + PATIENCE_MS;
  const lengths = callLengths(events);
  const left = new Map(points.map((point) => [idOf(point), point]));
  const cases: Ended[] = [];
  const perform = async ({ point, seed }: Trial): Promise<void> => {
    const played = await struckBy({ ...stage, seed }, point, limitMs, lengths[point.place - 1]);
    const done = { point, seed, ms: played.ms, struck: played.struck, ...judge(undisturbed.expected, played) };
    cases.push({ ...done, ...lastOf(played) });
    left.delete(idOf(point));
    wish.onCase(done, [...left.values()]);
  };
  await playAll(stage, wish, points, perform);
  return {
    seed: stage.seed,
    available,
    cases: inOrder(await withLateFindings(stage, cases), points),
    moments,
    leftOut: undisturbed.expected.leftOut,
    isStopped: stage.leaving.aborted,
  };
}

function pointsFor({ most, only, forMs }: Wish, moments: Moments, seed: number): readonly Point[] {
  if (only) return only;
  return forMs === undefined ? sampled(moments, most, seed) : allPoints(moments);
}

/** Until all is played, the time is over, or the person leaves. */
async function playAll(
  { seed, leaving }: Stage,
  { forMs }: Wish,
  points: readonly Point[],
  perform: (trial: Trial) => Promise<void>,
): Promise<void> {
  const until = performance.now() + (forMs ?? Number.POSITIVE_INFINITY);
  const isOver = (): boolean => leaving.aborted || performance.now() >= until;
  const playUnlessOver = async (trial: Trial): Promise<void> => {
    if (isOver()) return;
    try {
      await perform(trial);
    } catch (error) {
      // What was under way when the person left is not judged.
      if (!leaving.aborted) throw error;
    }
  };
  const once = [points.map((point) => ({ point, seed }))];
  for (const deck of forMs === undefined ? once : decks(points, seed)) {
    const isAlone = ({ point }: Trial): boolean => POINT_KINDS[point.kind].alone;
    await inParallel(
      deck.filter((trial) => !isAlone(trial)),
      playUnlessOver,
    );
    for (const trial of deck.filter(isAlone)) await playUnlessOver(trial);
    if (isOver()) return;
  }
}

async function inParallel<T>(works: readonly T[], perform: (work: T) => Promise<void>): Promise<void> {
  const left = [...works];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await perform(next);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

async function struckBy(stage: Stage, point: Point, limitMs: number, callMs: number | undefined): Promise<Played> {
  let played = await play(stage, limitMs, point, callMs);
  // A call that is over quickly may be over before the blow falls.
  for (let again = 0; again < AGAIN && isMissedCall(point, played); again += 1) {
    played = await play(stage, limitMs, point, callMs);
  }
  return played;
}

const isMissedCall = ({ kind }: Point, { struck }: Played): boolean => !struck && POINT_KINDS[kind].at === 'call';

interface Ended extends Case {
  readonly run: RunId;
  readonly lastRevision: number;
  readonly hasEnded: boolean;
}

const lastOf = ({ run, events }: Played): Pick<Ended, 'run' | 'lastRevision' | 'hasEnded'> => ({
  run,
  lastRevision: events.at(-1)?.revision ?? -1,
  hasEnded: endsOf(events).length > 0,
});

/** What was killed at the very end of a run is back only after the verdict: the log is asked once more. */
async function withLateFindings(stage: Stage, cases: readonly Ended[]): Promise<readonly Case[]> {
  const looked: Case[] = [];
  for (const { run, lastRevision, hasEnded, ...done } of cases) {
    const [late] = hasEnded ? await eventsAfter(stage, run, lastRevision) : [];
    const findings = late ? [doubled(`Long after the run's end came ${late.event.type}.`)] : [];
    looked.push({ ...done, findings: [...done.findings, ...findings] });
  }
  return looked;
}

function inOrder(cases: readonly Case[], points: readonly Point[]): readonly Case[] {
  const order = new Map(points.map((point, place) => [idOf(point), place]));
  const placeOf = ({ point }: Case): number => order.get(idOf(point)) ?? 0;
  return cases.toSorted((one, other) => one.seed - other.seed || placeOf(one) - placeOf(other));
}
