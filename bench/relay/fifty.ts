import { round } from '../figures.js';
import { benchAgent } from './agents.js';
import type { BenchCluster } from './local-cluster.js';
import { Sightings } from './sightings.js';

/** Runs started at once, and worked on at once as far as the pool goes; steps a second from the first step to the last. */
export async function measureMany(cluster: BenchCluster, runs: number, steps: number): Promise<{ stepsPerS: number }> {
  const agent = await cluster.apply(benchAgent('fifty', 0));
  const sightings = await Sightings.open(cluster.log, ['SegmentStarted', 'RunCompleted']);
  const started = new Set(await Promise.all(Array.from({ length: runs }, () => cluster.run(agent, steps))));
  const ends = await Promise.all(
    [...started].map((run) => sightings.when(({ runId, event }) => runId === run && event.type === 'RunCompleted')),
  );
  await sightings.close();
  const from = Math.min(...sightings.seen.filter(({ runId }) => started.has(runId)).map(({ at }) => at));
  const to = Math.max(...ends.map(({ at }) => at));
  // Each run takes one more turn than it has items: the closing report.
  return { stepsPerS: round((runs * (steps + 1) * 1_000) / (to - from), 0) };
}
