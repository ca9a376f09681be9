import { programOptions } from '#platform';
import type { Bench } from '../bench.js';
import { measureBoot } from './boot.js';
import { measureMany } from './fifty.js';
import { measureFloors } from './floors.js';
import { measureHandoff } from './handoff.js';
import { measureHistory } from './history.js';
import { BenchCluster } from './local-cluster.js';
import { measurePoison } from './poison.js';
import { measureReconcile } from './reconcile.js';
import { measureRecovery } from './recovery.js';
import { measureResume } from './resume.js';
import { measureStart } from './start.js';
import { measureStep } from './step.js';

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

/** How much is measured; `--quick` shows that everything works, its figures mean little. */
const SIZES = {
  steps: 500,
  workspaceSteps: 100,
  runs: 50,
  stepsEach: 60,
  handoffs: 100,
  kills: 5,
  poison: { rounds: 8, windowMs: 5_000 },
  starts: 20,
  histories: [1_000, 5_000, 20_000],
  openRuns: 10_000,
  endedRuns: 20_000,
  boots: 5,
};
const QUICK: typeof SIZES = {
  steps: 10,
  workspaceSteps: 2,
  runs: 3,
  stepsEach: 3,
  handoffs: 2,
  kills: 1,
  poison: { rounds: 1, windowMs: 4_000 },
  starts: 1,
  histories: [50, 100],
  openRuns: 50,
  endedRuns: 50,
  boots: 1,
};

/** A model that is much quicker than any real one. */
const THINK_MS = 250;

const OPTIONS = { json: { type: 'boolean' }, quick: { type: 'boolean' }, only: { type: 'string' } } as const;

type Figures = Record<string, unknown>;
const MEASURES: Readonly<Record<string, (cluster: BenchCluster, sizes: typeof SIZES) => Promise<unknown>>> = {
  floors: measureFloors,
  start: (cluster, { starts }) => measureStart(cluster, starts),
  step: async (cluster, { steps, workspaceSteps }) => ({
    ...(await measureStep(cluster, steps, 0)),
    workspace: await measureStep(cluster, workspaceSteps, 19),
  }),
  handoff: (cluster, { handoffs }) => measureHandoff(cluster, handoffs),
  recovery: (cluster, { kills }) => measureRecovery(cluster, kills),
  resume: (cluster, { histories, kills }) => measureResume(cluster, histories, Math.min(kills, 4)),
  poison: (cluster, { poison }) => measurePoison(cluster, poison, THINK_MS),
  poisonBusy: (cluster, { poison }) => measurePoison(cluster, poison, 0),
  fifty: (cluster, { runs, stepsEach }) => measureMany(cluster, runs, stepsEach),
};

/** What is measured on processes of its own, because a cluster beside them would take part. */
const ALONE: Readonly<Record<string, (sizes: typeof SIZES) => Promise<unknown>>> = {
  boot: ({ boots }) => measureBoot(boots),
  reconcile: ({ openRuns }) => measureReconcile(openRuns),
  history: ({ endedRuns }) => measureHistory(endedRuns),
};

/** Measured only when `--only` names it: each takes more than five minutes. */
const BY_NAME_ONLY: readonly string[] = ['poison', 'poisonBusy'];

export const bench: Bench = {
  run: async (words) => {
    const values = programOptions('bench', OPTIONS, words);
    const all = [...Object.keys(ALONE), ...Object.keys(MEASURES)];
    const only = values.only?.split(',') ?? all.filter((name) => !BY_NAME_ONLY.includes(name));
    const stranger = only.find((name) => !all.includes(name));
    if (stranger !== undefined) throw new Error(`--only names "${stranger}"; use ${all.join(', ')}.`);
    const sizes = values.quick ? QUICK : SIZES;
    const figures: Figures = {};
    const measure = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      say(`${name} …`);
      figures[name] = await work();
      say(JSON.stringify(figures[name]));
    };
    for (const [name, work] of Object.entries(ALONE)) if (only.includes(name)) await measure(name, () => work(sizes));
    const measures = Object.entries(MEASURES).filter(([name]) => only.includes(name));
    if (measures.length > 0)
      await withCluster(async (cluster) => {
        for (const [name, work] of measures) await measure(name, () => work(cluster, sizes));
      });
    process.stdout.write(`${JSON.stringify(figures, null, values.json ? 0 : 2)}\n`);
  },
};

async function withCluster(work: (cluster: BenchCluster) => Promise<void>): Promise<void> {
  say('starting a cluster …');
  const cluster = await BenchCluster.start();
  const leave = (): void => void cluster.stop().finally(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, leave);
  try {
    await work(cluster);
  } finally {
    await cluster.stop();
  }
}
