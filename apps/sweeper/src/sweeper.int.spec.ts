import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Bus } from '#bus';
import {
  AdvanceRun,
  AskSegment,
  Heartbeat,
  momentOf,
  type RunEvent,
  RunId,
  type RunnerRef,
  RunSegment,
  WORK_CONSUMERS,
} from '#contracts';
import { createMemoryLog, type EventLog, Runs } from '#log';
import { type Clock, isGone, markOf, newId, silentLogger, systemClock } from '#platform';
import { runRequested, startNats, type TestNats, until } from '#testing';
import { createSweeper, type Sweeper } from './sweeper.js';

const SILENCE_MS = 2_000;

let nats: TestNats;
let log: EventLog;
let runs: { gateway: Runs<'gateway'>; coordinator: Runs<'coordinator'>; runner: Runs<'segment-runner'> };
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  nats = await startNats();
  log = createMemoryLog();
  runs = {
    gateway: new Runs(log, { app: 'gateway', id: 'g' }),
    coordinator: new Runs(log, { app: 'coordinator', id: 'c' }),
    runner: new Runs(log, { app: 'segment-runner', id: 'r' }),
  };
});

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await nats.stop();
});

const at = (): string => momentOf(Date.now());

async function connected(name: string): Promise<Bus> {
  const bus = await Bus.connect({ url: nats.url, name, logger: silentLogger });
  closing.push(() => bus.close());
  return bus;
}

async function sweeping(clock: Clock = systemClock, silenceMs = SILENCE_MS): Promise<Sweeper> {
  const bus = await connected('sweeper');
  const made = createSweeper({
    bus,
    log,
    logger: silentLogger,
    clock,
    id: newId(),
    silenceMs,
    isGone: ({ pid, mark }) => mark !== undefined && isGone(pid, mark),
  });
  closing.push(() => made.stop());
  made.start();
  return made;
}

async function scheduled(): Promise<RunId> {
  const runId = RunId.parse(newId());
  await runs.gateway.request(runId, runRequested(Date.now()));
  const data = { at: at(), segment: 1, because: 'requested', restartsWithoutProgress: 0 } as const;
  await runs.coordinator.change(runId, () => [{ type: 'SegmentScheduled', data }]);
  return runId;
}

const NOWHERE: RunnerRef = { runnerId: 'r', host: 'h', pid: 1 };

async function working(runner = NOWHERE): Promise<RunId> {
  const runId = await scheduled();
  const data = { at: at(), segment: 1, runner, deadline: momentOf(Date.now() + 600_000) };
  await runs.runner.change(runId, () => [{ type: 'SegmentStarted', data }]);
  return runId;
}

/** A segment's beats, until stopped; `activityMs` ago its activity began. */
function beating(bus: Bus, runId: RunId, activityMs = 0): () => void {
  const since = momentOf(Date.now() - activityMs);
  const beat = (): void => {
    const activity = { kind: 'tool', detail: 'bash', since } as const;
    const body: Heartbeat = {
      runId,
      segment: 1,
      runnerId: 'r',
      pid: 1,
      sentAt: at(),
      activity,
      revision: 2,
      loopAgeMs: 0,
    };
    bus.emit(`${Heartbeat.subject}.${runId}`, body);
  };
  beat();
  const timer = setInterval(beat, 200);
  closing.push(() => clearInterval(timer));
  return () => clearInterval(timer);
}

async function deathsOf(runId: RunId): Promise<Extract<RunEvent, { type: 'RunPresumedDead' }>['data'][]> {
  const deaths = [];
  for await (const { event } of runs.runner.events(runId))
    if (event.type === 'RunPresumedDead') deaths.push(event.data);
  return deaths;
}

const dead = (runId: RunId) => until(async () => (await deathsOf(runId))[0]);

describe('the sweeper', () => {
  it('S6 presumes a silent segment dead once, however many sweepers watch', async () => {
    await Promise.all([sweeping(), sweeping()]);
    const [silent, next] = [await working(), await working()];
    expect(await dead(silent)).toMatchObject({ segment: 1, evidence: 'silence' });
    await dead(next);
    expect(await deathsOf(silent)).toHaveLength(1);
  });

  it('takes slow for slow: who beats is alive, however long its activity takes', async () => {
    await sweeping();
    const [slow, silent] = [await working(), await working()];
    beating(await connected('runner'), slow, 3_600_000);
    await dead(silent);
    expect(await deathsOf(slow)).toEqual([]);
  });

  it('S3 takes what a segment records for a sign of life', async () => {
    await sweeping();
    const [recording, silent] = [await working(), await working()];
    let turn = 0;
    const record = (): void => {
      const data = {
        at: at(),
        segment: 1,
        turn: 1,
        attempt: (turn += 1),
        kind: 'overloaded',
        message: 'x',
        retryInMs: 1,
      } as const;
      void runs.runner.change(recording, () => [{ type: 'ModelTurnFailed', data }]);
    };
    const timer = setInterval(record, 200);
    closing.push(() => clearInterval(timer));
    await dead(silent);
    const later = await working();
    await dead(later);
    expect(await deathsOf(recording)).toEqual([]);
  });

  it('S4 finds out sooner when nobody is there to answer, and not when somebody is', async () => {
    await sweeping();
    const bus = await connected('runner');
    const [gone, deaf] = [await working(), await working()];
    const stops = [beating(bus, gone), beating(bus, deaf)];
    bus.answer(`${AskSegment.subject}.${deaf}.1`, AskSegment.body, async () => ({ alive: true }));
    const listener = await working();
    await dead(listener);
    for (const stop of stops) stop();
    expect(await dead(gone)).toMatchObject({ evidence: 'no-responders' });
    expect(await deathsOf(deaf)).toEqual([]);
  });

  it('S5 sees that a process is gone before its silence is over, and waits for one that stands still', async () => {
    const processes = [spawn('sleep', ['600']), spawn('sleep', ['600'])] as const;
    closing.push(() => processes.forEach((child) => child.kill('SIGKILL')));
    const [killed, frozen] = await Promise.all(
      processes.map(async (child) => {
        await once(child, 'spawn');
        const pid = child.pid as number;
        return await working({ ...NOWHERE, pid, mark: markOf(pid) });
      }),
    );
    processes[0].kill('SIGKILL');
    processes[1].kill('SIGSTOP');
    const silenceMs = 60_000;
    await sweeping(systemClock, silenceMs);
    const { evidence, silentMs } = await dead(killed as RunId);
    expect(evidence).toBe('process-gone');
    expect(silentMs).toBeLessThan(silenceMs / 2);
    expect(await deathsOf(frozen as RunId)).toEqual([]);
  });

  it('S4 takes an answer for a sign of life also when it comes late', async () => {
    const silenceMs = 5_000;
    await sweeping(systemClock, silenceMs);
    const bus = await connected('runner');
    const late = await working();
    const stop = beating(bus, late);
    bus.answer(`${AskSegment.subject}.${late}.1`, AskSegment.body, async () => {
      await pause(2_000);
      return { alive: true };
    });
    const first = await working();
    await dead(first);
    stop();
    const next = await working();
    await dead(next);
    await dead(await working());
    expect(await deathsOf(late)).toEqual([]);
  });

  it('S2 declares nobody dead while and just after the bus is away, and finds the really dead afterwards', async () => {
    await sweeping();
    const bus = await connected('runner');
    const [alive, gone] = [await working(), await working()];
    beating(bus, alive);
    await nats.kill();
    const control = performance.now();
    await until(() => performance.now() - control > 2 * SILENCE_MS);
    expect(await deathsOf(gone)).toEqual([]);
    await nats.restart();
    await dead(gone);
    expect(await deathsOf(alive)).toEqual([]);
  });

  it('S1 S2 declares nobody dead when its own clocks jump or its loop was held up', async () => {
    const jump = { wall: 0, monotonic: 0 };
    await sweeping({
      now: () => Date.now() + jump.wall,
      monotonic: () => performance.now() + jump.monotonic,
    });
    const runId = await working();
    const stop = beating(await connected('runner'), runId);
    const silent = await working();
    jump.wall = 86_400_000;
    await dead(silent);
    jump.wall = -86_400_000;
    jump.monotonic = 60_000;
    const other = await working();
    await dead(other);
    expect(await deathsOf(runId)).toEqual([]);
    stop();
    await dead(runId);
  });

  it('rings the coordinator for a run that nobody looked at, and the runners for a segment that nobody took', async () => {
    await sweeping();
    const bus = await connected('listener');
    const heard: string[] = [];
    bus.consume(AdvanceRun, WORK_CONSUMERS.advanceRun, async ({ runId }) => void heard.push(`advance ${runId}`));
    bus.consume(RunSegment, WORK_CONSUMERS.runSegment, async ({ runId }) => void heard.push(`segment ${runId}`));
    const waiting = await scheduled();
    const unseen = RunId.parse(newId());
    await runs.gateway.request(unseen, runRequested(Date.now()));
    await until(() => heard.includes(`advance ${unseen}`) && heard.includes(`segment ${waiting}`));
  });
});
