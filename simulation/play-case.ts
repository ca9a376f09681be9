import { TERMINAL_EVENTS } from '#contracts';
import { Cluster } from './world/cluster.js';
import { People } from './world/people.js';
import { COMPANIONS, THE_RUN } from './world/play.js';
import { type Boundary, type Strike, World } from './world/world.js';

/** A run that has not ended by then never will, in milliseconds of the world. */
const LATEST_END_MS = 20 * 60_000;
/** How long the world goes on after the end: whatever sleeps, or is on its way, must do no harm any more. */
const LINGER_MS = 6_000;
const ENDS: ReadonlySet<string> = new Set(TERMINAL_EVENTS);

export interface CaseOptions {
  readonly seed: number;
  /** What strikes, by the number of the boundary. */
  readonly strikes?: (cluster: Cluster, people: People) => ReadonlyMap<number, Strike>;
  readonly keepBoundaries?: boolean;
  /** Other runs are at work at the same time. */
  readonly crowded?: boolean | undefined;
  readonly tell?: ((line: string) => void) | undefined;
}

export interface Played {
  readonly world: World;
  readonly cluster: Cluster;
  readonly boundaries: readonly Boundary[];
  /** When the last run ended, in milliseconds of the world; undefined when one did not. */
  readonly endedAt: number | undefined;
}

/** Plays the run from its request to its end, with others beside it when it is `crowded`, and a while longer. */
export async function playCase({
  seed,
  strikes,
  keepBoundaries = false,
  crowded = false,
  tell,
}: CaseOptions): Promise<Played> {
  const planned = new Map<number, Strike>();
  const world = new World({ seed, strikes: planned, keepBoundaries, tell });
  const cluster = new Cluster(world);
  const runs = crowded ? [THE_RUN, ...COMPANIONS] : [THE_RUN];
  const [people, ...others] = [new People(world, THE_RUN), ...runs.slice(1).map((run) => new People(world, run))];
  for (const [place, strike] of strikes?.(cluster, people) ?? []) planned.set(place, strike);
  let endedAt: number | undefined;
  const open = new Set(runs.map(({ id }) => `run-${id}`));
  world.onCommit(({ type, stream }) => {
    if (ENDS.has(type) && open.delete(stream) && open.size === 0) endedAt = world.now;
  });
  cluster.start();
  const everybody = [people, ...others];
  cluster.keep('gateway', 'machine-g', (process) => {
    for (const one of everybody) one.serve(process);
  });
  for (const one of everybody) one.request();
  await world.scheduler.runUntil(() => endedAt !== undefined, LATEST_END_MS);
  const until = Math.max(endedAt ?? 0, world.disturbedUntil) + LINGER_MS;
  if (endedAt !== undefined) await world.scheduler.runUntil(() => false, until);
  return { world, cluster, boundaries: world.boundaries, endedAt };
}
