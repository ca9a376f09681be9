import { gaps, mean, quantile, round } from '../figures.js';
import { benchAgent } from './agents.js';
import type { BenchCluster } from './local-cluster.js';
import { type Sighting, Sightings } from './sightings.js';

export interface StepFigures {
  /** From one recorded step to the next, everything included. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The mean of what the segment itself measured for its model calls. */
  readonly modelMs: number;
  /** The mean of what the workspace measured for its tool calls; 0 where the tool only records. */
  readonly toolMs: number;
  /** A step at p50 without the model's and the tool's own time. */
  readonly overheadP50Ms: number;
}

/** One run of so many steps, alone on the cluster. `callsPerItem`: see `benchAgent`. */
export async function measureStep(cluster: BenchCluster, steps: number, callsPerItem: number): Promise<StepFigures> {
  const agent = await cluster.apply(benchAgent(`step-${callsPerItem}`, callsPerItem));
  const sightings = await Sightings.open(cluster.log, ['ModelTurnCompleted', 'ToolCallCompleted', 'RunCompleted']);
  const run = await cluster.run(agent, callsPerItem === 0 ? steps : Math.ceil(steps / (callsPerItem + 1)));
  await sightings.when(({ runId, event }) => runId === run && event.type === 'RunCompleted');
  await sightings.close();
  const seen = sightings.of(run);
  const turns = seen.filter(({ event }) => event.type === 'ModelTurnCompleted');
  const times = gaps(turns.map(({ at }) => at));
  const modelMs = mean(turns.map(durationOf));
  const toolMs =
    seen.filter(({ event }) => event.type === 'ToolCallCompleted').reduce((sum, one) => sum + durationOf(one), 0) /
    turns.length;
  const p50Ms = quantile(times, 0.5);
  return {
    p50Ms: round(p50Ms),
    p99Ms: round(quantile(times, 0.99)),
    modelMs: round(modelMs),
    toolMs: round(toolMs),
    overheadP50Ms: round(p50Ms - modelMs - toolMs),
  };
}

const durationOf = ({ event }: Sighting): number => ('durationMs' in event.data ? event.data.durationMs : 0);
