import { anyFault, type Fault, strikeOf } from './faults.js';
import { type Played, playCase } from './play-case.js';
import type { Cluster } from './world/cluster.js';
import { type People, WHIMS, type Whim } from './world/people.js';
import { oneOf, seeded, wholeBelow } from './world/random.js';
import type { Boundary, Strike } from './world/world.js';

/** The order of things in which every boundary is tried. */
export const BASE_SCHEDULE = 1;

/** How many boundaries a burst of faults is long. */
const BURST = 60;
/** In one of so many samples people interfere. */
const RESTLESS_EVERY = 3;
/** In one of so many samples other runs are at work beside it. */
const CROWDED_EVERY = 4;
/** How many boundaries there are then for each of the run alone. */
const CROWD = 1.6;

/** One case: the order of things, and what disturbs it. */
export interface Case {
  readonly seed: number;
  readonly schedule: number;
  readonly faults: readonly Fault[];
  /** Other runs are at work at the same time. */
  readonly crowded?: boolean;
  /** What people want in between; with it the run comes to its end on another way. */
  readonly whims?: readonly { readonly place: number; readonly whim: Whim }[];
}

/**
 * The cases by their seeds, from 1: a crash of the process at every boundary; then the loss of the whole machine at
 * every boundary of a machine that works on segments; then, for ever, samples of two to four faults, each in an order of
 * things of its own.
 */
export function caseOf(seed: number, boundaries: readonly Boundary[]): Case {
  const crash = boundaries[seed - 1];
  if (crash) return { seed, schedule: BASE_SCHEDULE, faults: [{ place: crash.place, kind: 'crash', ms: 0 }] };
  const machines = boundaries.filter(({ role }) => role === 'child' || role === 'supervisor');
  const off = machines[seed - 1 - boundaries.length];
  if (off) return { seed, schedule: BASE_SCHEDULE, faults: [{ place: off.place, kind: 'power-off', ms: 0 }] };
  const crowded = seed % CROWDED_EVERY === 0;
  return { ...sampled(seed, Math.round((crowded ? CROWD : 1) * boundaries.length)), crowded };
}

function sampled(seed: number, places: number): Case {
  const random = seeded(seed);
  const first: Fault = { place: 1 + wholeBelow(random, places), kind: 'crash', ms: 0 };
  // Faults that come close together meet what is being mended.
  const placeOfNext = (): number =>
    random() < 0.5 ? first.place + wholeBelow(random, BURST) : 1 + wholeBelow(random, Math.round(1.3 * places));
  const more = Array.from({ length: 1 + wholeBelow(random, 3) }, () => anyFault(random, placeOfNext()));
  const faults = [...(random() < 0.7 ? [first] : []), ...more].toSorted((a, b) => a.place - b.place);
  if (seed % RESTLESS_EVERY > 0) return { seed, schedule: seed, faults };
  const whims = Array.from({ length: 1 + wholeBelow(random, 3) }, () => ({
    place: 1 + wholeBelow(random, Math.round(1.1 * places)),
    whim: oneOf(random, WHIMS),
  }));
  // Some without any fault: what is wrong then is wrong with the wishes alone.
  return { seed, schedule: seed, faults: random() < 0.3 ? [] : faults, whims };
}

/** The run without a fault. */
export const undisturbed = (crowded = false): Promise<Played> =>
  playCase({ seed: BASE_SCHEDULE, keepBoundaries: true, crowded });

export const play = (chosen: Case, tell?: (line: string) => void): Promise<Played> =>
  playCase({
    seed: chosen.schedule,
    crowded: chosen.crowded,
    strikes: (cluster, people) => strikesOf(chosen, cluster, people),
    tell,
  });

function strikesOf({ faults, whims = [] }: Case, cluster: Cluster, people: People): ReadonlyMap<number, Strike> {
  const strikes = new Map<number, Strike>();
  const add = (place: number, strike: Strike): void => {
    const before = strikes.get(place);
    strikes.set(place, (process) => {
      before?.(process);
      strike(process);
    });
  };
  for (const { place, whim } of whims) add(place, () => people.want(whim));
  for (const fault of faults) add(fault.place, strikeOf(cluster, fault));
  return strikes;
}

export function inWords({ faults, whims = [], crowded = false }: Case): string {
  const words = [
    ...faults.map(({ place, kind, ms }) => `${kind}${ms === 0 ? '' : ` (${ms} ms)`} at #${place}`),
    ...whims.map(({ place, whim }) => `a person wants: ${whim} at #${place}`),
  ];
  return `${words.length === 0 ? 'no fault' : words.join(', ')}${crowded ? ', beside other runs' : ''}`;
}
