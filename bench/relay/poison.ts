import { setTimeout as pause } from 'node:timers/promises';
import type { RunId } from '#contracts';
import { gaps, quantile, round } from '../figures.js';
import { benchAgent } from './agents.js';
import type { BenchCluster } from './local-cluster.js';
import { Sightings } from './sightings.js';

/** One place of the default pool is left to the poison. */
const HEALTHY_RUNS = 3;
const ITEMS = 10_000;
const ENDS: readonly string[] = ['RunCancelled', 'RunHalted', 'RunFailed', 'RunCompleted'];

/** What a poisonous run does: it kills each of its processes at once, floods its output, fills its disk, takes the processors. */
const POISONS = {
  crash: 'true',
  flood: 'yes poison | head -c 4000000000',
  burn: 'for one in $(seq 50); do while :; do :; done & done; wait',
  disk: 'while :; do head -c 1000000000 /dev/zero >filler; done',
} as const;
type Poison = keyof typeof POISONS;

export interface PoisonFigures {
  /** The step time of the healthy runs with the poison beside them, divided by that without. */
  readonly p50Ratio: number;
  readonly p99Ratio: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface PoisonSizes {
  readonly rounds: number;
  readonly windowMs: number;
}

/**
 * Healthy runs work all the time; windows with a poisonous run beside them take turns with windows without.
 * @param thinkMs how long the model of the healthy ones takes, in milliseconds: with 0 they want all of the processors,
 * and whatever runs beside them, poisonous or not, takes its part of those from them
 */
export async function measurePoison(
  cluster: BenchCluster,
  sizes: PoisonSizes,
  thinkMs: number,
): Promise<Record<Poison, PoisonFigures>> {
  const spec = benchAgent(`healthy-${thinkMs}`, 1);
  const simulate = { policy: 'items', command: 'true', callsPerItem: 1, thinkMs } as const;
  const healthy = await cluster.apply({ ...spec, simulate });
  const sightings = await Sightings.open(cluster.log, [
    'ModelTurnCompleted',
    'SegmentStarted',
    'RunCancelled',
    'RunHalted',
    'RunFailed',
    'RunCompleted',
  ]);
  const runs = await Promise.all(Array.from({ length: HEALTHY_RUNS }, () => cluster.run(healthy, ITEMS)));
  const world = { cluster, sightings, runs, sizes };
  const figures = {
    crash: await measureOne(world, 'crash'),
    flood: await measureOne(world, 'flood'),
    burn: await measureOne(world, 'burn'),
    disk: await measureOne(world, 'disk'),
  };
  for (const run of runs) await cluster.cancel(run);
  await sightings.close();
  return figures;
}

interface PoisonedWorld {
  readonly cluster: BenchCluster;
  readonly sightings: Sightings;
  readonly runs: readonly RunId[];
  readonly sizes: PoisonSizes;
}

async function measureOne(world: PoisonedWorld, poison: Poison): Promise<PoisonFigures> {
  const { cluster, sightings, sizes } = world;
  const spec = benchAgent(`poison-${poison}`, 1);
  const agent = await cluster.apply({ ...spec, simulate: { policy: 'items', command: POISONS[poison] } });
  const steps: Record<'with' | 'without', number[]> = { with: [], without: [] };
  for (let nth = 0; nth < sizes.rounds; nth += 1) {
    steps.without.push(...(await window(world)));
    const run = await cluster.run(agent, ITEMS);
    const killing = poison === 'crash' ? killChildren(sightings, run) : undefined;
    await sightings.when(({ runId, event }) => runId === run && event.type === 'SegmentStarted');
    steps.with.push(...(await window(world)));
    killing?.stop();
    await cluster.cancel(run).catch(() => undefined);
    await sightings.when(({ runId, event }) => runId === run && ENDS.includes(event.type));
  }
  const [p50, p99] = [quantile(steps.with, 0.5), quantile(steps.with, 0.99)];
  return {
    p50Ratio: round(p50 / quantile(steps.without, 0.5)),
    p99Ratio: round(p99 / quantile(steps.without, 0.99)),
    p50Ms: round(p50),
    p99Ms: round(p99),
  };
}

/** The step times of the healthy runs from now on, in milliseconds. */
async function window({ sightings, runs, sizes }: PoisonedWorld): Promise<readonly number[]> {
  const from = performance.now();
  await pause(sizes.windowMs);
  return runs.flatMap((run) =>
    gaps(
      sightings
        .of(run)
        .filter(({ event, at }) => event.type === 'ModelTurnCompleted' && at >= from)
        .map(({ at }) => at),
    ),
  );
}

/** A context that kills whatever process reads it. */
function killChildren(sightings: Sightings, run: RunId): { stop(): void } {
  const stopping = new AbortController();
  const next = async (segment: number): Promise<void> => {
    const { event } = await sightings.when(
      (one) => one.runId === run && one.event.type === 'SegmentStarted' && one.event.data.segment === segment,
    );
    if (stopping.signal.aborted || event.type !== 'SegmentStarted') return;
    process.kill(event.data.runner.pid, 'SIGKILL');
    await next(segment + 1);
  };
  next(1).catch(() => undefined);
  return { stop: () => stopping.abort() };
}
