import { TERMINAL_EVENTS } from '#contracts';
import { Cluster } from './world/cluster.js';
import { People } from './world/people.js';
import { outsideOfPromises } from './world/virtual-time.js';
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
  readonly tell?: ((line: string) => void) | undefined;
}

export interface Played {
  readonly world: World;
  readonly cluster: Cluster;
  readonly boundaries: readonly Boundary[];
  /** When the run ended, in milliseconds of the world; undefined when it did not. */
  readonly endedAt: number | undefined;
}

/** Plays one run from its request to its end, and a while longer. */
export async function playCase({ seed, strikes, keepBoundaries = false, tell }: CaseOptions): Promise<Played> {
  const planned = new Map<number, Strike>();
  const world = new World({ seed, strikes: planned, keepBoundaries, tell });
  const cluster = new Cluster(world);
  const people = new People(world);
  for (const [place, strike] of strikes?.(cluster, people) ?? []) planned.set(place, strike);
  let endedAt: number | undefined;
  world.onCommit(({ type }) => {
    if (ENDS.has(type)) endedAt ??= world.now;
  });
  cluster.start();
  cluster.keep('gateway', 'machine-g', (process) => people.serve(process));
  people.request();
  await outsideOfPromises(() => {
    world.scheduler.runUntil(() => endedAt !== undefined, LATEST_END_MS);
    const until = Math.max(endedAt ?? 0, world.disturbedUntil) + LINGER_MS;
    if (endedAt !== undefined) world.scheduler.runUntil(() => false, until);
  });
  return { world, cluster, boundaries: world.boundaries, endedAt };
}
