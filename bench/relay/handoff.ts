import { quantile, round } from '../figures.js';
import { benchAgent } from './agents.js';
import type { BenchCluster } from './local-cluster.js';
import { Sightings } from './sightings.js';

/** Segments of a tenth of a second, so that handoffs come quickly. */
const SEGMENT_SECONDS = 0.1;
const RESERVE_SECONDS = 0.02;
const ITEMS = 10_000;

/** From the last event of a segment to the first step of the next, over so many handoffs of one run. */
export async function measureHandoff(
  cluster: BenchCluster,
  handoffs: number,
): Promise<{ p50Ms: number; p99Ms: number }> {
  const caps = { segmentSeconds: SEGMENT_SECONDS, reserveSeconds: RESERVE_SECONDS };
  const agent = await cluster.apply(benchAgent('handoff', 0, caps));
  const sightings = await Sightings.open(cluster.log, ['SegmentEnded', 'ModelTurnCompleted']);
  const run = await cluster.run(agent, ITEMS);
  const enough = handoffs + 2;
  await sightings.when(
    ({ runId, event }) => runId === run && event.type === 'SegmentEnded' && event.data.segment >= enough,
  );
  await cluster.cancel(run);
  await sightings.close();
  const seen = sightings.of(run);
  const waits = seen.flatMap(({ event, at }, place) => {
    if (event.type !== 'SegmentEnded' || event.data.reason !== 'handoff') return [];
    const next = seen.slice(place).find((later) => later.event.type === 'ModelTurnCompleted');
    return next ? [next.at - at] : [];
  });
  return { p50Ms: round(quantile(waits, 0.5)), p99Ms: round(quantile(waits, 0.99)) };
}
