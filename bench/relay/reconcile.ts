import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Bus } from '#bus';
import { RunSegment, WORK_CONSUMERS } from '#contracts';
import { connectLog, type EventLog } from '#log';
import { silentLogger } from '#platform';
import { round } from '../figures.js';
import { inherited } from './config.js';
import { freePort } from './local-cluster.js';
import { mostMemoryOf } from './most-memory.js';
import { type Expected, writeOpenRuns } from './open-runs.js';

export interface ReconcileFigures {
  readonly runs: number;
  /** From the start of the services to the moment at which every run has its segment scheduled or its doorbell rung. */
  readonly seconds: number;
  /** The same without the runs whose runner has vanished: its silence has to be heard first. */
  readonly secondsBesidesDeaths: number;
  /** The most memory that each process has taken, in MiB. */
  readonly coordinatorMb: number;
  readonly sweeperMb: number;
  /** The processor time that each has taken, in seconds: it says more than the clock on a machine that does other things. */
  readonly coordinatorCpu: number;
  readonly sweeperCpu: number;
  readonly eventStoreCpu: number;
}

const LIMIT_MS = 300_000;
const app = (name: string): string => fileURLToPath(new URL(`../../apps/${name}/src/main.js`, import.meta.url));

/** Writes open runs of every phase into a real log, then starts a coordinator and a sweeper on a bus that is empty. */
export async function measureReconcile(runs: number): Promise<ReconcileFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
  const started: ChildProcess[] = [];
  const [storePort, natsPort] = [await freePort(), await freePort()];
  const urls = {
    BATON_LOG_URL: `esdb://127.0.0.1:${storePort}?tls=false`,
    BATON_BUS_URL: `nats://127.0.0.1:${natsPort}`,
    BATON_HEALTH_PORT: '0',
    BATON_LOG_LEVEL: 'error',
  };
  const start = async (name: string, more: NodeJS.ProcessEnv = {}): Promise<number> => {
    const env = { ...inherited(), ...urls, BATON_DATA: join(folder, name), ...more };
    const child = fork(app(name), [], { env, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    started.push(child);
    await once(child, 'message');
    return child.pid ?? 0;
  };
  const log = connectLog(urls.BATON_LOG_URL);
  let bus: Bus | undefined;
  try {
    const eventStore = await start('event-store', { BATON_PORT: String(storePort) });
    const expected = await writeOpenRuns(log, runs);
    const nats = [
      '--addr',
      '127.0.0.1',
      '--port',
      String(natsPort),
      '--jetstream',
      '--store_dir',
      join(folder, 'nats'),
    ];
    started.push(spawn('nats-server', nats, { stdio: 'ignore' }));
    bus = await Bus.connect({ url: urls.BATON_BUS_URL, name: 'bench', logger: silentLogger });
    // As in a deployment: the runners' consumer is there, and all runners are busy.
    const runners = bus.consume(RunSegment, WORK_CONSUMERS.runSegment, () => Promise.resolve());
    while ((await bus.consumerState(WORK_CONSUMERS.runSegment)) === undefined) await pause(50);
    await runners.stop();
    const seen = watch(log, bus, expected);
    await seen.ready;
    const storeBefore = cpuOf(eventStore);
    const began = performance.now();
    const [coordinator, sweeper] = await Promise.all([start('coordinator'), start('sweeper')]);
    const { besidesDeaths, all } = await seen.done;
    return {
      runs,
      seconds: round((all - began) / 1_000, 1),
      secondsBesidesDeaths: round((besidesDeaths - began) / 1_000, 1),
      coordinatorMb: round(mostMemoryOf(coordinator), 0),
      sweeperMb: round(mostMemoryOf(sweeper), 0),
      coordinatorCpu: cpuOf(coordinator),
      sweeperCpu: cpuOf(sweeper),
      eventStoreCpu: round(cpuOf(eventStore) - storeBefore, 1),
    };
  } finally {
    await bus?.close();
    await log.close();
    await Promise.all(started.map(ended));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The moments at which the last run has what it waits for. @throws after five minutes with how many still wait */
function watch(log: EventLog, bus: Bus, { scheduled, rung, dead }: Expected) {
  const waiting = { scheduled: new Set<string>(scheduled), rung: new Set<string>(rung), dead: new Set<string>(dead) };
  let besidesDeaths = Number.NaN;
  let isReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const done = new Promise<{ besidesDeaths: number; all: number }>((resolve, reject) => {
    const limit = setTimeout(() => {
      const left = Object.entries(waiting).map(([name, { size }]) => `${size} ${name}`);
      reject(new Error(`Still waiting for ${left.join(', ')}.`));
    }, LIMIT_MS);
    const look = (): void => {
      if (waiting.scheduled.size > 0 || waiting.rung.size > 0) return;
      if (Number.isNaN(besidesDeaths)) besidesDeaths = performance.now();
      if (waiting.dead.size > 0) return;
      clearTimeout(limit);
      resolve({ besidesDeaths, all: performance.now() });
    };
    bus.listen(`${RunSegment.subject}.*`, RunSegment.body, ({ runId }) => {
      if (waiting.rung.delete(runId)) look();
    });
    const follow = async (): Promise<void> => {
      const after = await log.end();
      isReady();
      for await (const delivery of log.followAll(['SegmentScheduled'], after)) {
        if (delivery.kind !== 'event') continue;
        const runId = delivery.event.stream.slice('run-'.length);
        if (waiting.scheduled.delete(runId) || waiting.dead.delete(runId)) look();
      }
    };
    follow().catch(reject);
  });
  done.catch(() => undefined);
  return { ready, done };
}

const TICKS_A_SECOND = 100;

/** User and system time, in seconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return round((Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND, 1);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
