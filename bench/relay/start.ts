import { median, round } from '../figures.js';
import { benchAgent } from './agents.js';
import type { BenchCluster } from './local-cluster.js';
import { Sightings } from './sightings.js';

/** From the request to the run's first recorded step, over so many runs, one after the other. */
export async function measureStart(cluster: BenchCluster, runs: number): Promise<{ p50Ms: number }> {
  const agent = await cluster.apply(benchAgent('start', 0));
  const sightings = await Sightings.open(cluster.log, ['ModelTurnCompleted', 'RunCompleted']);
  const times: number[] = [];
  for (let nth = 0; nth < runs; nth += 1) {
    const asked = performance.now();
    const run = await cluster.run(agent, 1);
    const first = await sightings.when(({ runId }) => runId === run);
    times.push(first.at - asked);
    await sightings.when(({ runId, event }) => runId === run && event.type === 'RunCompleted');
  }
  await sightings.close();
  return { p50Ms: round(median(times)) };
}
