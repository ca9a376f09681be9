import { Bus, Doorbells } from '#bus';
import { AdvanceRun, millisOf, momentOf, type RunEvent, RunId, RunSegment, streams, WORK_CONSUMERS } from '#contracts';
import { restartBackoffMs } from '#domain';
import { createMemoryLog, type EventLog, Runs } from '#log';
import { newId, silentLogger, systemClock } from '#platform';
import { runRequested, startNats, type TestNats, until } from '#testing';
import { Mirror } from './mirror/mirror.js';
import { serveCoordinator } from './service.js';

let nats: TestNats;
let log: EventLog;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  nats = await startNats();
  log = createMemoryLog();
});

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await nats.stop();
});

const at = (): string => momentOf(Date.now());

async function connected(name = 'test'): Promise<Bus> {
  const bus = await Bus.connect({ url: nats.url, name, logger: silentLogger });
  closing.push(() => bus.close());
  return bus;
}

/** A coordinator with its own bus connection; `through` is the log as it sees it. */
async function coordinating(through: EventLog = log) {
  const bus = await connected('coordinator');
  const service = await serveCoordinator({ bus, log: through, logger: silentLogger, clock: systemClock, id: newId() });
  closing.push(() => service.close());
  return { bus, service };
}

async function mirroring(onWiped: () => void = () => undefined): Promise<Mirror> {
  const mirror = new Mirror({ log, doorbells: new Doorbells(await connected()), logger: silentLogger, onWiped });
  closing.push(() => mirror.stop());
  mirror.start();
  return mirror;
}

async function request(): Promise<RunId> {
  const runId = RunId.parse(newId());
  await new Runs(log, { app: 'gateway', id: 'test' }).request(runId, runRequested(Date.now()));
  return runId;
}

const runner = () => new Runs(log, { app: 'segment-runner', id: 'test' });

async function begin(runId: RunId, segment: number): Promise<void> {
  const ref = { runnerId: 'r', host: 'h', pid: 1 };
  const deadline = momentOf(Date.now() + 60_000);
  await runner().change(runId, () => [{ type: 'SegmentStarted', data: { at: at(), segment, runner: ref, deadline } }]);
}

const end = (runId: RunId, segment: number, reason: 'handoff' | 'crashed' = 'handoff') =>
  runner().change(runId, () => [{ type: 'SegmentEnded', data: { at: at(), segment, reason } }]);

async function typesOf(runId: RunId): Promise<RunEvent['type'][]> {
  const types: RunEvent['type'][] = [];
  for await (const { event } of runner().events(runId)) types.push(event.type);
  return types;
}

const scheduledOf = async (runId: RunId): Promise<number> =>
  (await typesOf(runId)).filter((type) => type === 'SegmentScheduled').length;

/** What rings on the bus, by subject. */
async function hearing(contract: typeof AdvanceRun | typeof RunSegment, name: string): Promise<string[]> {
  const heard: string[] = [];
  const bus = await connected();
  bus.consume(
    contract,
    name,
    async (_body, { subject }) => void heard.push(subject.slice(contract.subject.length + 1)),
  );
  return heard;
}

describe('a coordinator', () => {
  it('schedules the first segment of a run and the next one after a handoff, long before any round would', async () => {
    await coordinating();
    const runs = await Promise.all(Array.from({ length: 20 }, request));
    const gaps: number[] = [];
    for (const runId of runs) {
      await until(async () => (await scheduledOf(runId)) === 1);
      await begin(runId, 1);
      const before = performance.now();
      await end(runId, 1);
      while ((await scheduledOf(runId)) < 2) await new Promise(setImmediate);
      gaps.push(performance.now() - before);
    }
    expect(gaps.toSorted((a, b) => a - b)[10]).toBeLessThan(2_000);
  });

  it('rings the runners for every scheduled segment', async () => {
    await coordinating();
    const heard = await hearing(RunSegment, WORK_CONSUMERS.runSegment);
    const runId = await request();
    await until(() => heard.includes(runId));
  });

  it('waits for the back-off after a crash, then goes on', async () => {
    await coordinating();
    const runId = await request();
    await until(async () => (await scheduledOf(runId)) === 1);
    await begin(runId, 1);
    await end(runId, 1, 'crashed');
    await until(async () => (await scheduledOf(runId)) === 2);
    const moments: number[] = [];
    for await (const { event } of runner().events(runId)) moments.push(millisOf(event.data.at));
    const [ended = 0, scheduled = 0] = moments.slice(-2);
    expect(scheduled - ended).toBeGreaterThanOrEqual(restartBackoffMs(1));
  });

  it('schedules once however often and by however many it is rung', async () => {
    await Promise.all([coordinating(), coordinating(), coordinating()]);
    const bus = await connected();
    const runId = await request();
    await Promise.all(Array.from({ length: 30 }, () => bus.publish(`${AdvanceRun.subject}.${runId}`, { runId })));
    await until(async () => (await bus.consumerState(WORK_CONSUMERS.advanceRun))?.pending === 0);
    await until(async () => (await bus.consumerState(WORK_CONSUMERS.advanceRun))?.ackPending === 0);
    expect(await scheduledOf(runId)).toBe(1);
  });

  it('makes good what happened while none was there', async () => {
    const first = await coordinating();
    const runId = await request();
    await until(async () => (await scheduledOf(runId)) === 1);
    await begin(runId, 1);
    await first.service.close();
    await end(runId, 1);
    await coordinating();
    await until(async () => (await scheduledOf(runId)) === 2);
  });

  it('leaves nothing undone when it dies between reading and appending', async () => {
    let asked = 0;
    const dying = new Proxy(log, {
      get: (target, name: keyof EventLog) => {
        if (name === 'append') return () => new Promise(() => (asked += 1));
        return typeof target[name] === 'function' ? target[name].bind(target) : target[name];
      },
    });
    const runId = await request();
    const bus = await connected('dying');
    await serveCoordinator({ bus, log: dying, logger: silentLogger, clock: systemClock, id: newId() });
    await until(() => asked > 0);
    await coordinating();
    await until(async () => (await scheduledOf(runId)) === 1);
  });

  it('rings again for scheduled segments when the bus has lost everything', async () => {
    await coordinating();
    const runId = await request();
    await until(async () => (await scheduledOf(runId)) === 1);
    await nats.restartWiped();
    const heard = await hearing(RunSegment, WORK_CONSUMERS.runSegment);
    await until(() => heard.includes(runId));
  });
});

describe('the mirror', () => {
  it('M1 resumes after the last message, wherever that came from', async () => {
    const heard = await hearing(AdvanceRun, 'test-heard');
    const first = await mirroring();
    const before = await request();
    await until(() => heard.includes(before));
    await first.stop();
    const between = await request();
    await mirroring();
    const after = await request();
    await until(() => heard.includes(after));
    expect(heard).toEqual([before, between, after]);
  });

  it('M3 rings once for each event, in order, when several run', async () => {
    const heard = await hearing(AdvanceRun, 'test-heard');
    await Promise.all([mirroring(), mirroring(), mirroring()]);
    const rung: string[] = [];
    for (let n = 0; n < 50; n += 1) rung.push(await request());
    await until(() => heard.length >= 50);
    const bus = await connected();
    expect((await bus.lastMessage('BATON_WORK'))?.sequence).toBe(50);
    expect(heard).toEqual(rung);
  });

  it('M3 goes on behind a ring that is no event’s own, which keeps the position', async () => {
    const doorbells = new Doorbells(await connected());
    const heard = await hearing(AdvanceRun, 'test-heard');
    const mirror = await mirroring();
    const first = await request();
    await until(() => heard.includes(first));
    const { position } = await doorbells.place();
    await doorbells.ring({ subject: `${AdvanceRun.subject}.${first}`, body: { runId: first }, messageId: 'again' });
    expect((await doorbells.place()).position).toBe(position);
    await mirror.stop();
    await mirroring();
    const second = await request();
    await until(() => heard.includes(second));
    expect(heard).toEqual([first, first, second]);
  });

  it('M2 skips nothing while the bus is away', async () => {
    const heard = await hearing(AdvanceRun, 'test-heard');
    await mirroring();
    const first = await request();
    await until(() => heard.includes(first));
    await nats.kill();
    const second = await request();
    const third = await request();
    await nats.restart();
    await until(() => heard.includes(third));
    expect(new Set(heard)).toEqual(new Set([first, second, third]));
  });

  it('M4 tells when the storage was wiped, while it runs and before it starts', async () => {
    let wipes = 0;
    await mirroring(() => (wipes += 1));
    await until(() => wipes === 1);
    const heard = await hearing(AdvanceRun, 'test-heard');
    const first = await request();
    await until(() => heard.includes(first));
    await nats.restartWiped();
    const second = await request();
    await until(() => heard.includes(second));
    await until(() => wipes === 2);
  });

  it('passes over what is no run’s stream', async () => {
    const heard = await hearing(AdvanceRun, 'test-heard');
    await mirroring();
    const event = { id: newId(), type: 'SegmentEnded', data: {}, metadata: {} };
    await log.append('run-nonsense', [event], 'any');
    await log.append(streams.agent('x'), [event], 'any');
    const runId = await request();
    await until(() => heard.includes(runId));
    expect(heard).toEqual([runId]);
  });
});
