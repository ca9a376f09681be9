import { median, round } from '../figures.js';
import { BenchCluster } from './local-cluster.js';

/** From `baton up` on a folder that was used before until every service is ready, in milliseconds: the median of so many starts. */
export async function measureBoot(starts: number): Promise<{ againMs: number }> {
  const cluster = await BenchCluster.start();
  const times: number[] = [];
  try {
    for (let start = 0; start < starts; start += 1) {
      await cluster.down();
      const began = performance.now();
      await cluster.again();
      times.push(performance.now() - began);
    }
  } finally {
    await cluster.stop();
  }
  return { againMs: round(median(times), 0) };
}
