import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { Bus, subjectOf } from '#bus';
import { momentOf, OpenWorkspace, type RunEvent, RunId, RunSegment, WORK_CONSUMERS } from '#contracts';
import { connectLog, type EventLog, Runs } from '#log';
import { newId, silentLogger } from '#platform';
import {
  type EmbeddedEventStore,
  facts,
  type Simulator,
  startEventStore,
  startNats,
  startSimulator,
  type TestNats,
  until,
} from '#testing';

/* The supervisor and its children as real processes (from the build), on a real bus, log and model simulator. */
let [nats, store, simulator]: [TestNats?, EmbeddedEventStore?, Simulator?] = [];
let bus: Bus;
let log: EventLog;
const runners: ChildProcess[] = [];
const LIMIT_MS = 100_000;
const TEST_MS = 240_000;

beforeEach(async () => {
  [nats, store, simulator] = await Promise.all([startNats(), startEventStore(), startSimulator()]);
  bus = await Bus.connect({ url: nats.url, name: 'test', logger: silentLogger });
  log = connectLog(store.connectionString);
}, TEST_MS);
afterEach(async () => {
  for (const runner of runners.splice(0)) runner.kill('SIGKILL');
  await bus.close();
  await log.close();
  await Promise.all([nats?.stop(), store?.stop(), simulator?.stop()]);
}, TEST_MS);

function startRunner(env: NodeJS.ProcessEnv = {}, words: readonly string[] = []): ChildProcess {
  const places = { BATON_BUS_URL: nats?.url, BATON_LOG_URL: store?.connectionString, BATON_MODEL_URL: simulator?.url };
  const runner = fork('dist/apps/segment-runner/src/main.js', [...words], {
    env: { ...process.env, ...places, BATON_POOL_SIZE: '1', BATON_LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  runners.push(runner);
  return runner;
}

async function exitOf(runner: ChildProcess): Promise<number | null> {
  if (runner.exitCode === null) await once(runner, 'exit');
  return runner.exitCode;
}

/** A run that waits for its first segment, whose doorbell has rung. */
async function scheduled(items: readonly string[] = [], thinkMs = 0): Promise<RunId> {
  const runId = RunId.parse(newId());
  const simulate = { policy: 'items' as const, command: 'true', callsPerItem: 1, thinkMs };
  const at = momentOf(Date.now());
  const request = facts.requested({ items, spec: { simulate } })(at, 0);
  await new Runs(log, { app: 'gateway', id: 'test' }).request(
    runId,
    request as Extract<RunEvent, { type: 'RunRequested' }>,
  );
  const data = { at, segment: 1, because: 'requested' as const, restartsWithoutProgress: 0 };
  await new Runs(log, { app: 'coordinator', id: 'test' }).append(runId, [{ type: 'SegmentScheduled', data }], 0);
  await bus.publish(subjectOf(RunSegment, runId), { runId, segment: 1 });
  return runId;
}

async function eventsOf(runId: RunId): Promise<readonly RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const { event } of new Runs(log, { app: 'gateway', id: 'test' }).events(runId)) all.push(event);
  return all;
}
const find = async <T extends RunEvent['type']>(
  runId: RunId,
  type: T,
): Promise<Extract<RunEvent, { type: T }> | undefined> =>
  (await eventsOf(runId)).find((event): event is Extract<RunEvent, { type: T }> => event.type === type);
const endOf = async (runId: RunId): Promise<string> => {
  const ended = await until(() => find(runId, 'SegmentEnded'), LIMIT_MS);
  return ended.data.reason;
};

describe('a segment-runner for one job (--once)', () => {
  it(
    'takes one segment, finishes it, leaves the next one to others and exits with 0',
    async () => {
      const runs = [await scheduled(), await scheduled()];
      expect(await exitOf(startRunner({}, ['--once']))).toBe(0);
      const ends = await Promise.all(runs.map((run) => find(run, 'SegmentEnded')));
      expect(ends.map((end) => end?.data.reason)).toEqual(['finished', undefined]);
      const { pending, ackPending } = (await bus.consumerState(WORK_CONSUMERS.runSegment)) ?? {};
      expect(Number(pending) + Number(ackPending)).toBe(1);
      expect(await exitOf(startRunner({ BATON_ONCE: '1' }))).toBe(0);
      expect((await find(runs[1] as RunId, 'SegmentEnded'))?.data.reason).toBe('finished');
    },
    TEST_MS,
  );

  it(
    'exits with 0 when there is nothing to take for as long as it may wait',
    async () => {
      expect(await exitOf(startRunner({ BATON_ONCE: '1', BATON_ONCE_WAIT_MS: '300' }))).toBe(0);
    },
    TEST_MS,
  );

  it(
    'records that its child has died and exits with 1',
    async () => {
      const run = await scheduled(['a'], 600_000);
      const runner = startRunner({ BATON_ONCE: '1' });
      const started = await until(() => find(run, 'SegmentStarted'), LIMIT_MS);
      process.kill(started.data.runner.pid, 'SIGKILL');
      expect(await exitOf(runner)).toBe(1);
      expect(await endOf(run)).toBe('crashed');
    },
    TEST_MS,
  );
});

describe('a segment-runner', () => {
  it(
    'records the crash of a segment that fails for no known reason, and takes the next one',
    async () => {
      bus.answer(OpenWorkspace.subject, z.object({}), async () => ({ nonsense: true }));
      startRunner();
      const poisoned = await scheduled(['a']);
      expect(await endOf(poisoned)).toBe('crashed');
      expect(await endOf(await scheduled())).toBe('finished');
    },
    TEST_MS,
  );

  it(
    'gives no more segments to a child that was asked to stop',
    async () => {
      startRunner();
      const run = await scheduled(['a'], 600_000);
      const started = await until(() => find(run, 'SegmentStarted'), LIMIT_MS);
      process.kill(started.data.runner.pid, 'SIGTERM');
      expect(await endOf(run)).toBe('drain');
      const next = await scheduled();
      expect(await endOf(next)).toBe('finished');
      expect((await find(next, 'SegmentStarted'))?.data.runner.pid).not.toBe(started.data.runner.pid);
    },
    TEST_MS,
  );

  it(
    'hands off what it works on and exits with the signal when it is asked to stop',
    async () => {
      const runner = startRunner();
      const run = await scheduled(['a'], 600_000);
      await until(() => find(run, 'SegmentStarted'), LIMIT_MS);
      runner.kill('SIGTERM');
      await exitOf(runner);
      expect(runner.signalCode).toBe('SIGTERM');
      expect(await endOf(run)).toBe('drain');
    },
    TEST_MS,
  );
});
