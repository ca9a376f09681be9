import { momentOf, RunId } from '#contracts';
import { Runs } from '#log';
import { newId } from '#platform';
import { median, round } from '../figures.js';
import type { BenchCluster } from './local-cluster.js';
import { writeLongHistory } from './long-history.js';
import { mostMemoryOf } from './most-memory.js';
import { type Sighting, Sightings } from './sightings.js';

export interface ResumeFigures {
  /** From `SegmentScheduled` to the first new step. */
  readonly ms: number;
  /** The most memory that the segment's process has taken until then, in MiB; null where the system does not say. */
  readonly rssMb: number | null;
}

/** Takes over runs with histories of so many steps: each is asked to go on, then killed at its first step and taken over again. */
export async function measureResume(
  cluster: BenchCluster,
  histories: readonly number[],
  kills: number,
): Promise<Record<string, ResumeFigures>> {
  const runs = new Map(histories.map((steps) => [steps, RunId.parse(newId())]));
  // Nobody may decide on a history that is not whole.
  await cluster.whileStopped(['coordinator', 'sweeper'], async () => {
    for (const [steps, run] of runs) await writeLongHistory(cluster.log, run, steps);
  });
  const figures: Record<string, ResumeFigures> = {};
  for (const [steps, run] of runs) figures[steps] = await resumed(cluster, run, kills);
  return figures;
}

async function resumed(cluster: BenchCluster, run: RunId, kills: number): Promise<ResumeFigures> {
  const sightings = await Sightings.open(cluster.log, ['SegmentScheduled', 'SegmentStarted', 'ModelTurnCompleted']);
  const times: number[] = [];
  const sizes: number[] = [];
  let last = await goOn(cluster, run);
  for (let nth = 0; nth <= kills; nth += 1) {
    const after = last;
    const next = (type: Sighting['event']['type']): Promise<Sighting> =>
      sightings.when(({ runId, revision, event }) => runId === run && revision > after && event.type === type);
    const scheduled = await next('SegmentScheduled');
    const started = await next('SegmentStarted');
    const step = await next('ModelTurnCompleted');
    const pid = started.event.type === 'SegmentStarted' ? started.event.data.runner.pid : 0;
    times.push(step.at - scheduled.at);
    sizes.push(mostMemoryOf(pid));
    last = step.revision;
    if (nth < kills) process.kill(pid, 'SIGKILL');
  }
  await cluster.cancel(run);
  await sightings.close();
  await cluster.childrenAreReady();
  const rssMb = median(sizes);
  return { ms: round(median(times), 0), rssMb: Number.isFinite(rssMb) ? round(rssMb, 0) : null };
}

/** @returns the run's last revision before anybody has reacted */
async function goOn(cluster: BenchCluster, run: RunId): Promise<number> {
  const runs = new Runs(cluster.log, { app: 'gateway', id: 'bench' });
  const data = { at: momentOf(Date.now()), by: 'bench' };
  const changed = await runs.change(run, () => [{ type: 'ResumeRequested', data }]);
  return changed.run.last.revision;
}
