import { anyFault, type Fault, strikeOf } from './faults.js';
import { type Played, playCase } from './play-case.js';
import { seeded, wholeBelow } from './world/random.js';
import type { Boundary } from './world/world.js';

/** The order of things in which every boundary is tried. */
export const BASE_SCHEDULE = 1;

/** One case: the order of things, and what disturbs it. */
export interface Case {
  readonly seed: number;
  readonly schedule: number;
  readonly faults: readonly Fault[];
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
  return sampled(seed, boundaries.length);
}

function sampled(seed: number, places: number): Case {
  const random = seeded(seed);
  const first: Fault = { place: 1 + wholeBelow(random, places), kind: 'crash', ms: 0 };
  const more = Array.from({ length: 1 + wholeBelow(random, 3) }, () =>
    anyFault(random, 1 + wholeBelow(random, Math.round(1.3 * places))),
  );
  const faults = [...(random() < 0.7 ? [first] : []), ...more].toSorted((a, b) => a.place - b.place);
  return { seed, schedule: seed, faults };
}

/** The run without a fault. */
export const undisturbed = (schedule = BASE_SCHEDULE): Promise<Played> =>
  playCase({ seed: schedule, keepBoundaries: true });

export const play = ({ schedule, faults }: Case, tell?: (line: string) => void): Promise<Played> =>
  playCase({
    seed: schedule,
    strikes: (cluster) => new Map(faults.map((fault) => [fault.place, strikeOf(cluster, fault)])),
    tell,
  });

export const inWords = ({ faults }: Case): string =>
  faults.length === 0
    ? 'no fault'
    : faults.map(({ place, kind, ms }) => `${kind}${ms === 0 ? '' : ` (${ms} ms)`} at #${place}`).join(', ');
