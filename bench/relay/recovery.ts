import type { RunId } from '#contracts';
import { gaps, median, round } from '../figures.js';
import { benchAgent } from './agents.js';
import type { BenchCluster } from './local-cluster.js';
import { type Sighting, Sightings } from './sightings.js';

const ITEMS = 10_000;
/** Steps that are waited for before each kill, so that it falls into work. */
const STEPS_BEFORE = 20;

/** How long a run stands still after a kill, in milliseconds: medians over so many kills of each kind. */
export async function measureRecovery(
  cluster: BenchCluster,
  kills: number,
): Promise<{ childMs: number; supervisorMs: number }> {
  const agent = await cluster.apply(benchAgent('recovery', 0));
  const sightings = await Sightings.open(cluster.log, ['SegmentStarted', 'ModelTurnCompleted']);
  const run = await cluster.run(agent, ITEMS);
  const child: number[] = [];
  const supervisor: number[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    child.push(await standstill(sightings, run, (pid) => process.kill(pid, 'SIGKILL')));
    await cluster.childrenAreReady();
  }
  for (let kill = 0; kill < kills; kill += 1) {
    const { pid } = (await cluster.processes()).find(({ name }) => name === 'segment-runner') ?? {};
    supervisor.push(await standstill(sightings, run, () => pid && process.kill(pid, 'SIGKILL')));
    await cluster.childrenAreReady();
  }
  await cluster.cancel(run);
  await sightings.close();
  return { childMs: round(median(child), 0), supervisorMs: round(median(supervisor), 0) };
}

/** The longest time without a step from the kill until the next segment has recorded its first. */
async function standstill(sightings: Sightings, run: RunId, kill: (pid: number) => unknown): Promise<number> {
  const since = performance.now();
  let left = STEPS_BEFORE;
  await sightings.when(({ runId, at: seenAt }) => runId === run && seenAt > since && (left -= 1) < 0);
  const start = sightings.of(run).findLast(({ event }) => event.type === 'SegmentStarted')?.event;
  if (start?.type !== 'SegmentStarted') throw new Error('No segment works.');
  const { segment, runner } = start.data;
  const at = performance.now();
  kill(runner.pid);
  const isNext = ({ runId, event }: Sighting): boolean =>
    runId === run && event.type === 'ModelTurnCompleted' && event.data.segment > segment;
  const next = await sightings.when(isNext);
  const steps = sightings
    .of(run)
    .filter((one) => one.event.type === 'ModelTurnCompleted' && one.at > at && one.at <= next.at);
  return Math.max(...gaps([at, ...steps.map((one) => one.at)]));
}
