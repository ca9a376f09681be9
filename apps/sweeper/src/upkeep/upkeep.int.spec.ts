import { Bus, replayParked } from '#bus';
import { AdvanceRun, momentOf, type RunEvent, RunId, RunSegment, streams, WORK_CONSUMERS } from '#contracts';
import { Blobs, createMemoryLog, type EventLog, Findings, HandoffNotes, HeardRuns, RelayWatch, Runs } from '#log';
import { type Clock, newId, sha256, silentLogger, systemClock, Unreadable } from '#platform';
import { aNewEvent, runRequested, startNats, type TestNats, until } from '#testing';
import { Grooming } from './grooming.js';
import { StrayKeeper } from './strays.js';
import { createUpkeep, type Upkeep } from './upkeep.js';

let nats: TestNats;
let log: EventLog;
/** Added to both clocks, in milliseconds. */
let ahead: number;
const clock: Clock = { now: () => Date.now() + ahead, monotonic: () => performance.now() + ahead };
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());
beforeEach(() => {
  ahead = 0;
  log = createMemoryLog(() => clock.now());
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await nats.restartWiped();
});

const at = (): string => momentOf(clock.now());

async function connected(name = 'test'): Promise<Bus> {
  const bus = await Bus.connect({ url: nats.url, name, logger: silentLogger });
  closing.push(() => bus.close());
  return bus;
}

async function keeping(): Promise<Upkeep> {
  const bus = await connected('sweeper');
  const heard = new HeardRuns();
  const watch = new RelayWatch(log, { clock, logger: silentLogger, heard });
  watch.start();
  closing.push(() => watch.stop());
  await watch.ready();
  return createUpkeep({ bus, log, watch, heard, logger: silentLogger, clock, id: newId() });
}

const gateway = () => new Runs(log, { app: 'gateway', id: 't' });
const coordinator = () => new Runs(log, { app: 'coordinator', id: 't' });
const runner = () => new Runs(log, { app: 'segment-runner', id: 't' });

async function requested(): Promise<RunId> {
  const runId = RunId.parse(newId());
  await gateway().request(runId, runRequested(clock.now()));
  return runId;
}

async function scheduled(): Promise<RunId> {
  const runId = await requested();
  const data = { at: at(), segment: 1, because: 'requested', restartsWithoutProgress: 0 } as const;
  await coordinator().change(runId, () => [{ type: 'SegmentScheduled', data }]);
  return runId;
}

async function rested(reason: 'waiting' | 'paused'): Promise<RunId> {
  const runId = await scheduled();
  if (reason === 'paused')
    await gateway().change(runId, () => [{ type: 'PauseRequested', data: { at: at(), by: 'a test' } }]);
  const deadline = momentOf(clock.now() + 600_000);
  const started = { at: at(), segment: 1, runner: { runnerId: 'r', host: 'h', pid: 2 ** 30 }, deadline };
  await runner().change(runId, () => [
    { type: 'SegmentStarted', data: started },
    { type: 'SegmentEnded', data: { at: at(), segment: 1, reason } },
  ]);
  return runId;
}

const completed = (): RunEvent & { type: 'RunCompleted' } => ({
  type: 'RunCompleted',
  data: { at: at(), items: { total: 1, done: 1, failed: 0 }, result: '' },
});

async function findings(): Promise<unknown[]> {
  const found = [];
  for await (const { type, data } of log.read(streams.upkeep)) if (type === 'OrphanFound') found.push(data);
  return found;
}

async function heard(): Promise<string[]> {
  const rung: string[] = [];
  (await connected()).consume(AdvanceRun, WORK_CONSUMERS.advanceRun, async ({ runId }) => void rung.push(runId));
  return rung;
}

describe('runs that nobody reacts to', () => {
  /** A doorbell for the runners that nobody has taken. */
  async function untaken(runId: RunId): Promise<void> {
    const bus = await connected();
    const consuming = bus.consume(RunSegment, WORK_CONSUMERS.runSegment, () => Promise.resolve());
    await until(() => bus.consumerState(WORK_CONSUMERS.runSegment));
    await consuming.stop();
    await bus.publish(`${RunSegment.subject}.${runId}`, { runId, segment: 1 });
  }

  it('are told with the way out, once a day, however many sweepers look', async () => {
    const runId = await scheduled();
    const upkeeps = [await keeping(), await keeping()];
    await untaken(runId);
    for (const upkeep of upkeeps) await upkeep.round();
    expect(await findings()).toEqual([]);
    ahead = 60_000;
    await Promise.all(upkeeps.map((upkeep) => upkeep.round()));
    await Promise.all(upkeeps.map((upkeep) => upkeep.round()));
    const outcome = { mended: false, toDo: expect.stringContaining('segment-runner') };
    expect(await findings()).toMatchObject([{ kind: 'segment-not-started', runId, outcome }]);
  });

  it('are not told while others are worked on and the house is full', async () => {
    const [waiting, busy] = [await scheduled(), await scheduled()];
    const deadline = momentOf(clock.now() + 600_000);
    const started = { at: at(), segment: 1, runner: { runnerId: 'r', host: 'h', pid: 2 ** 30 }, deadline };
    await runner().change(busy, () => [{ type: 'SegmentStarted', data: started }]);
    const upkeep = await keeping();
    await untaken(waiting);
    ahead = 60_000;
    await upkeep.round();
    expect(await findings()).toEqual([]);
  });
});

describe('timers that did not fire', () => {
  it('are rung for when they are late, and told; when ringing does not help, what a person must do', async () => {
    const rung = await heard();
    const runId = await rested('waiting');
    const upkeep = await keeping();
    await upkeep.round();
    expect(rung).toEqual([]);
    ahead = 10_080 * 60_000 + 60_000;
    await upkeep.round();
    await until(() => rung.includes(runId));
    expect(await findings()).toMatchObject([{ kind: 'timer-not-fired', runId, outcome: { mended: true } }]);
    for (const minutes of [2, 4]) {
      ahead = 10_080 * 60_000 + minutes * 60_000;
      await upkeep.round();
    }
    expect((await findings()).at(-1)).toMatchObject({ kind: 'timer-not-fired', outcome: { mended: false } });
  });

  it('are those of queued runs, too, and what is late is looked at before any number of runs that are new', async () => {
    const rung = await heard();
    const runId = await scheduled();
    const upkeep = await keeping();
    await upkeep.round();
    await Promise.all(Array.from({ length: 1_000 }, scheduled));
    ahead = 1_440 * 60_000 + 60_000;
    await upkeep.round();
    await until(() => rung.includes(runId));
    expect(await findings()).toContainEqual(expect.objectContaining({ kind: 'timer-not-fired', runId }));
  });

  it('are left to the coordinator when it is in time', async () => {
    const rung = await heard();
    const runId = await rested('waiting');
    const upkeep = await keeping();
    await upkeep.round();
    ahead = 10_080 * 60_000 + 60_000;
    await coordinator().change(runId, () => [completed()]);
    await upkeep.round();
    expect([rung, await findings()]).toEqual([[], []]);
  });

  it('do not exist for a pause, which a person is reminded of', async () => {
    const runId = await rested('paused');
    const upkeep = await keeping();
    await upkeep.round();
    expect(await findings()).toEqual([]);
    ahead = 10_080 * 60_000 + 60_000;
    await upkeep.round();
    expect(await findings()).toMatchObject([{ kind: 'run-paused-long', runId, outcome: { mended: false } }]);
  });
});

describe('parked messages', () => {
  it('are told once each with the way to look at them; one can be replayed and dropped', async () => {
    const bus = await connected();
    const handled: string[] = [];
    let broken = true;
    bus.consume(AdvanceRun, WORK_CONSUMERS.advanceRun, async ({ runId }) => {
      if (broken) throw new Unreadable('a reason');
      handled.push(runId);
    });
    const runId = RunId.parse(newId());
    await bus.publish(`${AdvanceRun.subject}.${runId}`, { runId }, { headers: { 'Baton-Position': '7' } });
    const parked = await until(async () => (await bus.parkedSince(0, 10))[0]);
    const upkeep = await keeping();
    await upkeep.round();
    await upkeep.round();
    expect(await findings()).toMatchObject([
      {
        kind: 'message-parked',
        thing: `parked message 1: BATON_WORK/${WORK_CONSUMERS.advanceRun}/1`,
        outcome: { why: 'a reason', toDo: expect.stringContaining('npx baton parked show 1') },
      },
    ]);
    broken = false;
    expect(await replayParked(bus, parked.number)).toMatchObject({ number: 1 });
    await until(() => handled.includes(runId));
    expect(await bus.parkedSince(0, 10)).toEqual([]);
    expect(await replayParked(bus, 1)).toBeUndefined();
    expect(await bus.dropParked(1)).toBe(false);
    // The mirror reads from the last message how far the log was rung.
    expect((await bus.lastMessage('BATON_WORK'))?.headers['Baton-Position']).toBe('7');
  });

  it('that are no JSON are not replayed', async () => {
    const bus = await connected();
    await bus.publish(`${AdvanceRun.subject}.x`, 'no object');
    bus.consume(AdvanceRun, WORK_CONSUMERS.advanceRun, () => Promise.resolve());
    await until(async () => (await bus.parkedSince(0, 10)).length === 1);
    await expect(replayParked(bus, 1)).rejects.toMatchObject({ code: 'not-replayable' });
    expect(await bus.dropParked(1)).toBe(true);
  });
});

describe('what services long gone have left on the bus', () => {
  it('is removed once nobody has used it for long, and a consumer in use never is', async () => {
    const bus = await connected();
    const used = bus.consume(AdvanceRun, 'of-an-experiment', () => Promise.resolve());
    const left = await connected();
    left.consume(AdvanceRun, 'of-an-old-version', () => Promise.resolve());
    bus.consume(AdvanceRun, WORK_CONSUMERS.advanceRun, () => Promise.resolve(), { slots: () => 0 });
    await until(
      async () => (await bus.consumerState('of-an-old-version')) && (await bus.consumerState('of-an-experiment')),
    );
    await left.close();
    const keeper = new StrayKeeper(await connected(), clock, 60_000);
    await until(async () => (await bus.strays()).consumers.length === 1);
    expect(await keeper.round()).toEqual([]);
    ahead = 60_000;
    expect(await keeper.round()).toMatchObject([{ thing: 'BATON_WORK/of-an-old-version', outcome: { mended: true } }]);
    expect(await bus.consumerState('of-an-old-version')).toBeUndefined();
    expect(await bus.consumerState('of-an-experiment')).toBeDefined();
    await used.stop();
  });
});

describe('grooming the log', () => {
  const DAY = 86_400_000;
  const blobsOf = () => new Blobs(log, clock);
  const groom = (id = newId(), through = log) =>
    new Grooming({ log: through, clock, logger: silentLogger, id, signal: new AbortController().signal });
  const put = async (text: string) => (await blobsOf().put(Buffer.from(text), 'text/plain')).digest;

  it('removes blobs that no event names, and neither young ones nor those that are named anywhere', async () => {
    const [named, noted, unnamed] = [await put('named'), await put('noted'), await put('unnamed')];
    await log.append('agent-a', [aNewEvent('SomethingNew', { files: [{ digest: named }] })], 'any');
    await log.append('handoff-x', [aNewEvent('HandoffNoteLeft', { snapshot: { blob: { digest: noted } } })], 'any');
    ahead = DAY + 1;
    const young = await put('young');
    expect(await groom().round()).toMatchObject({ blobsLookedAt: 3, blobsRemoved: 1 });
    expect(await Promise.all([named, noted, unnamed, young].map((digest) => blobsOf().has(digest)))).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it('never removes a blob that is put again and named while it grooms', async () => {
    for (let moment = 1; moment <= 6; moment += 1) {
      log = createMemoryLog(() => clock.now());
      ahead = 0;
      const digest = await put('old');
      ahead = DAY + 1;
      let asked = 0;
      const naming = async (): Promise<void> => {
        if ((asked += 1) !== moment) return;
        await put('old');
        await log.append('agent-a', [aNewEvent('Named', { digest })], 'any');
      };
      const between = new Proxy(log, {
        get: (target, name: keyof EventLog) => {
          if (name === 'last' || name === 'remove')
            return async (...to: [string, number]) => {
              await naming();
              return await (target[name] as (...to: [string, number]) => Promise<unknown>)(...to);
            };
          if (name === 'readAll' || name === 'readBesides')
            return async function* (...to: [never]) {
              await naming();
              yield* target[name](...to);
            };
          return target[name].bind(target);
        },
      });
      await groom(newId(), between).round();
      if (asked >= moment) expect(await blobsOf().has(digest)).toBe(true);
      else expect(await blobsOf().has(digest)).toBe(false);
      expect(sha256(await put('old').then((again) => blobsOf().get(again)))).toBe(digest);
    }
  });

  it('removes the notes of runs that ended a day ago; a run that is reopened is whole without them', async () => {
    const [over, open, late] = [await scheduled(), await scheduled(), await scheduled()];
    const leave = async (runId: RunId): Promise<void> => {
      const history = await coordinator().history(runId);
      if (history) await new HandoffNotes(log).leave(runId, history, { segment: 1, at: at() });
    };
    for (const runId of [over, open, late]) await leave(runId);
    await coordinator().change(over, () => [{ type: 'RunHalted', data: { at: at(), cap: 'steps', reason: 'x' } }]);
    ahead = DAY + 1;
    await coordinator().change(late, () => [completed()]);
    expect(await groom().round()).toMatchObject({ notesRemoved: 1 });
    const notes = async () =>
      Promise.all([over, open, late].map(async (runId) => (await new HandoffNotes(log).newest(runId)) !== undefined));
    expect(await notes()).toEqual([false, true, true]);
    await gateway().change(over, () => [{ type: 'RunReopened', data: { at: at(), by: 'a test', segment: 1 } }]);
    expect((await runner().history(over))?.run.relay).toMatchObject({ phase: 'between', next: 2 });
    await leave(over);
    expect(await notes()).toEqual([true, true, true]);
    ahead = 3 * DAY;
    expect(await groom().round()).toMatchObject({ notesRemoved: 1 });
    expect(await notes()).toEqual([true, true, false]);
  });

  it('is done by one of several sweepers a day, and again when that one was killed on the way', async () => {
    ahead = DAY;
    await put('unnamed');
    ahead = 2 * DAY + 1;
    const dying = new Proxy(log, {
      get: (target, name: keyof EventLog) => {
        if (name === 'remove') return () => new Promise(() => undefined);
        return target[name].bind(target);
      },
    });
    void groom('dies', dying).round();
    await until(async () => (await log.last(streams.upkeep))?.type === 'GroomingBegun');
    expect(await Promise.all([groom().round(), groom().round()])).toEqual([undefined, undefined]);
    ahead = 2 * DAY + DAY / 4 + 60_000;
    const done = await Promise.all([groom('a').round(), groom('b').round(), groom('c').round()]);
    expect(done.filter((one) => one !== undefined)).toMatchObject([{ blobsRemoved: 1 }]);
    ahead += DAY / 2;
    expect(await groom().round()).toBeUndefined();
    ahead += DAY;
    expect(await groom().round()).toMatchObject({ blobsRemoved: 0 });
  });
});

describe('a flood of findings', () => {
  it('is recorded bit by bit and each once', async () => {
    const findingsOfMine = new Findings(log, { app: 'sweeper', id: 't' }, systemClock, silentLogger);
    const many = Array.from({ length: 50 }, (_, n) => ({
      kind: 'message-parked' as const,
      thing: `${n}`,
      sentence: 'x',
      outcome: { mended: true as const, how: 'x' },
    }));
    expect(await findingsOfMine.record(many)).toBe(20);
    expect(await findingsOfMine.record(many)).toBe(20);
    expect(await findingsOfMine.record(many)).toBe(10);
    expect(await findingsOfMine.record(many)).toBe(0);
    expect(await findings()).toHaveLength(50);
  });
});
