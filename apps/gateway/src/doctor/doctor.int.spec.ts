import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerPresence, Bus } from '#bus';
import {
  type Check,
  Examination,
  Report,
  type RunEventOf,
  RunSegment,
  SERVICES,
  type ServiceName,
  WORK_CONSUMERS,
} from '#contracts';
import { emptyContext } from '#domain';
import { createMemoryLog, type EventLog, HandoffNotes, Runs } from '#log';
import { silentLogger, systemClock } from '#platform';
import { startNats, type TestNats, until } from '#testing';
import { completed, type Rig, scheduled, started, startRig } from '../../test/rig.js';

let nats: TestNats;
let folder: string;
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  nats = await startNats();
  folder = await mkdtemp(join(tmpdir(), 'baton-doctor-'));
  await writeFile(join(folder, 'api-key'), 'a key', { mode: 0o600 });
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await nats.stop();
  await rm(folder, { recursive: true, force: true });
});

async function connected(name: string): Promise<Bus> {
  const bus = await Bus.connect({ url: nats.url, name, logger: silentLogger });
  closing.push(() => bus.close());
  return bus;
}

async function rigOn(log: EventLog = createMemoryLog(() => Date.now())): Promise<Rig> {
  const rig = await startRig({ log, bus: await connected('gateway'), keyFile: join(folder, 'api-key') });
  closing.push(() => rig.gateway.close());
  return rig;
}

/** A deployment of which every service answers as it should, but for what is given. */
async function deployment(absent?: ServiceName, heldRun?: string): Promise<Bus> {
  const bus = await connected('services');
  for (const service of SERVICES) {
    if (service === absent) continue;
    const watch = { silenceMs: 5_000, segments: 0, hearingMs: 60_000 };
    const holds = heldRun === undefined ? [] : [{ runId: heldRun as never, what: 'segment' as const, segment: 1 }];
    const facts = {
      sweeper: { watch },
      'segment-runner': { holds, idleProcesses: 3 },
      'workspace-manager': { disk: { free: 50e9, total: 100e9 } },
    };
    answerPresence(bus, {
      service,
      id: `${service}-1`,
      clock: systemClock,
      facts: () => (service in facts ? facts[service as keyof typeof facts] : {}),
    });
  }
  for (const durable of Object.values(WORK_CONSUMERS)) {
    bus.consume({ ...RunSegment, subject: `baton.work.test.${durable}` }, durable, async () => undefined);
    await until(async () => (await bus.consumerState(durable)) !== undefined);
  }
  return bus;
}

const examine = async (rig: Rig): Promise<Examination> => Examination.parse(await (await rig.ask('/v1/doctor')).json());
const byId = ({ checks }: Examination): Record<string, Check['verdict']> =>
  Object.fromEntries(checks.map(({ id, verdict }) => [id, verdict]));
const checkOf = ({ checks }: Examination, id: string): Check | undefined => checks.find((one) => one.id === id);

describe('the doctor', () => {
  it('finds a deployment green of which everything answers, by what it measured', async () => {
    const rig = await rigOn();
    await deployment();
    // What is measured at a moment when the machine has other things to do is slow.
    const examination = await until(async () => {
      const found = await examine(rig);
      expect(found.checks.filter(({ verdict }) => verdict !== 'green')).toEqual([]);
      return found;
    });
    expect(checkOf(examination, 'services')?.numbers).toEqual(Object.fromEntries(SERVICES.map((name) => [name, 1])));
    expect(checkOf(examination, 'work')?.numbers).toMatchObject({ idleProcesses: 3 });
    expect(checkOf(examination, 'append')?.numbers['appendMs']).toBeGreaterThan(0);
    expect(examination.verdict).toBe('green');
  });

  it('goes red by what is missing: a service, its hearing, a mirror, a key that everybody reads', async () => {
    const rig = await rigOn();
    await rig.aRun();
    await deployment('sweeper');
    await chmod(join(folder, 'api-key'), 0o644);
    const examination = await examine(rig);
    expect(byId(examination)).toMatchObject({ services: 'red', silence: 'red', key: 'red', log: 'green' });
    expect(checkOf(examination, 'mirror')).toMatchObject({ numbers: { behind: 1 } });
    expect(examination.verdict).toBe('red');
    for (const { verdict, wayOut } of examination.checks) if (verdict === 'red') expect(wayOut).toBeDefined();
  });

  it('says in bounded time what it cannot see while the bus is away, and that it is away', async () => {
    const rig = await rigOn();
    await nats.kill();
    await until(async () => byId(await examine(rig))['bus'] === 'red');
    expect(byId(await examine(rig))).toMatchObject({
      bus: 'red',
      services: 'not-seen',
      silence: 'not-seen',
      mirror: 'not-seen',
      cost: 'not-seen',
      log: 'green',
      rebuild: 'green',
    });
  });

  it('goes red while the log does not answer', async () => {
    const log = createMemoryLog(() => Date.now());
    const rig = await rigOn(Object.assign(log, { ping: () => Promise.reject(new Error('It is away.')) }));
    expect(checkOf(await examine(rig), 'log')).toMatchObject({
      verdict: 'red',
      measured: expect.stringContaining('It is away.'),
    });
  });

  it('rebuilds open runs from the log and from their notes, and finds a note that says something else', async () => {
    const rig = await rigOn();
    const [run] = [await rig.aRun(), await rig.aRun()];
    await rig.record('coordinator', run, scheduled(1));
    const history = await new Runs(rig.log, { app: 'gateway', id: 'test' }).history(run);
    if (!history) throw new Error('The run is there.');
    const notes = new HandoffNotes(rig.log);
    const by = { segment: 1, at: new Date().toISOString() };
    await notes.leave(run, history, by);
    await rig.record('segment-runner', run, started(1));
    const numbers = { open: 2, rebuilt: 2, fromNotes: 1, faults: 0 };
    expect(checkOf(await examine(rig), 'rebuild')).toMatchObject({ verdict: 'green', numbers });
    await notes.leave(run, { run: { ...history.run, handoffs: 7 }, context: emptyContext }, by);
    expect(checkOf(await examine(rig), 'rebuild')).toMatchObject({ verdict: 'red', numbers: { faults: 1 } });
  });

  it('finds a process that is kept for a run that nobody knows', async () => {
    const rig = await rigOn();
    await deployment(undefined, '0198a6a2-0000-7000-8000-00000000dead');
    expect(checkOf(await examine(rig), 'cost')).toMatchObject({ verdict: 'red', numbers: { wasted: 1 } });
  });

  it('needs the key', async () => {
    const rig = await rigOn();
    expect((await fetch(`${rig.url}/v1/doctor`)).status).toBe(401);
    expect((await fetch(`${rig.url}/v1/report`)).status).toBe(401);
  });
});

describe('the report', () => {
  const at = new Date().toISOString();
  const nowOf = <E extends RunEventOf['coordinator']>(event: E): E => ({ ...event, data: { ...event.data, at } });
  const report = async (rig: Rig, query = ''): Promise<Report> =>
    Report.parse(await (await rig.ask(`/v1/report${query}`)).json());

  it('tells what happened to the runs, what was lost with a workspace, and what needs a person', async () => {
    const rig = await rigOn();
    const run = await rig.aRun();
    await rig.record('coordinator', run, nowOf(scheduled(1)));
    await rig.record('segment-runner', run, started(1, at));
    await rig.record('sweeper', run, {
      type: 'RunPresumedDead',
      data: { at, segment: 1, evidence: 'silence', silentMs: 5_000 },
    });
    await rig.record('coordinator', run, {
      type: 'RunHalted',
      data: { at, cap: 'segments', reason: 'It has reached its limit of 1 segments (caps.segments).' },
    });
    const lost = { at, runId: run, holder: 'here', reason: 'The disk broke.' };
    const event = { id: crypto.randomUUID(), type: 'WorkspaceLost', data: lost, metadata: {} };
    await rig.log.append(`workspace-${run}`, [event], 'any');
    const orphan = {
      at,
      kind: 'message-parked',
      thing: 'BATON_PARKED 7',
      sentence: 'A message was parked.',
      outcome: { mended: false, why: 'It could not be read.', toDo: 'Look at it: npx baton parked show 7.' },
    };
    const found = { id: crypto.randomUUID(), type: 'OrphanFound', data: orphan, metadata: {} };
    await rig.log.append('upkeep', [found], 'any');
    const told = await report(rig);
    expect(told.headline).toMatchObject({ runs: 1, halted: 1, deaths: 1, deathsHealed: 0, needs: 2 });
    expect(told.stories.map(({ kind }) => kind)).toEqual(['death', 'halt']);
    expect(told.needs[0]?.commands[0]).toBe(`npx baton raise ${run} segments=40`);
    expect(told.findings).toMatchObject([
      { sentence: expect.stringContaining('The disk broke.'), needsPerson: false },
      {
        sentence: 'A message was parked. It could not be read. Look at it: npx baton parked show 7.',
        needsPerson: true,
      },
    ]);
  });

  it('tells first of the runs that are open or did not end well when it may not tell of all', async () => {
    const rig = await rigOn();
    const open = await rig.aRun({ input: 'open' });
    for (const input of ['a', 'b']) {
      const run = await rig.aRun({ input });
      await rig.record('coordinator', run, nowOf(completed));
    }
    const told = await report(rig, '?limit=1');
    expect(told.runs.map(({ run }) => run)).toEqual([open]);
    expect(told.left).toEqual({ runs: 2 });
  });

  it('leaves out what ended before, and refuses a moment that is none', async () => {
    const rig = await rigOn();
    const run = await rig.aRun();
    await rig.record('coordinator', run, completed);
    const later = new Date(Date.parse(completed.data.at) + 1_000).toISOString();
    expect((await report(rig, `?since=${later}`)).runs).toEqual([]);
    expect((await rig.ask('/v1/report?since=yesterday')).status).toBe(422);
  });
});
