import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Bus } from '#bus';
import { type EventView, Heartbeat, LiveDelta, type Problem, type RunId, type RunView } from '#contracts';
import { connectLog, type EventLog } from '#log';
import { silentLogger } from '#platform';
import { freePort, startNats, type TestNats, until } from '#testing';
import { type ServiceProcess, startService } from '../test/processes.js';
import { caller, completed, itemStarted, KEY, scheduled, spec, started } from '../test/rig.js';
import { eventOf, LiveViewer, sse } from '../test/viewers.js';

const CLOSE_MS = 500;

let folder: string;
let ports: { store: number; gateway: number };
let nats: TestNats;
let log: EventLog;
let gateway: ServiceProcess;
let store: ServiceProcess | undefined;

const startStore = async (): Promise<void> => {
  store = await startService('event-store', {
    BATON_PORT: String(ports.store),
    BATON_DATA: join(folder, 'store'),
  });
};
const rig = () => caller(log, `http://127.0.0.1:${ports.gateway}`);
const viewOf = async (run: RunId): Promise<RunView> => (await (await rig().ask(`/v1/runs/${run}`)).json()) as RunView;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-gateway-'));
  ports = { store: await freePort(), gateway: await freePort() };
  nats = await startNats();
  await writeFile(join(folder, 'api-key'), `${KEY}\n`);
  const url = `esdb://127.0.0.1:${ports.store}?tls=false`;
  log = connectLog(url, { timeoutMs: 2_000 });
  [gateway] = await Promise.all([
    startService('gateway', {
      BATON_PORT: String(ports.gateway),
      BATON_LOG_URL: url,
      BATON_BUS_URL: nats.url,
      BATON_API_KEY_FILE: join(folder, 'api-key'),
    }),
    startStore(),
  ]);
});

afterEach(async () => {
  // The store's client can wait for ever for streams that were cut; what it waits for ends with the processes.
  await Promise.race([log.close(), pause(CLOSE_MS)]);
  await gateway.kill();
  await store?.kill();
  await nats.stop();
  await rm(folder, { recursive: true, force: true });
});

async function work(run: RunId, steps: number): Promise<void> {
  await rig().record('coordinator', run, scheduled(1));
  await rig().record('segment-runner', run, started(1, new Date().toISOString()));
  for (let step = 0; step < steps; step += 1) await rig().record('segment-runner', run, itemStarted(`item ${step}`));
}

describe('a gateway on a real event store', () => {
  it('starts one run for twenty posts at once with one key', async () => {
    await rig().post('/v1/agents', { spec });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => rig().post('/v1/runs', { agent: 'profiler' }, { 'idempotency-key': 'k' })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => b - a)).toEqual([
      201,
      ...Array.from({ length: 19 }, () => 200),
    ]);
    const ids = new Set(await Promise.all(answers.map(async (answer) => ((await answer.json()) as RunView).id)));
    expect(ids.size).toBe(1);
    const listed = (await (await rig().ask('/v1/runs')).json()) as { runs: { id: string }[] };
    expect(listed.runs.map(({ id }) => id)).toEqual([...ids]);
  });

  it('shows viewers exactly the log although the event store is killed under them', async () => {
    const run = await rig().aRun();
    await work(run, 20);
    const seen: EventView[] = [];
    const watching = (async () => {
      for await (const sent of sse(rig(), run)) if (sent.event !== 'end') seen.push(eventOf(sent));
    })();
    const live = await LiveViewer.connect(rig());
    live.say({ type: 'follow', run });
    await until(() => seen.length === 23);
    await store?.kill();
    const down = await rig().ask(`/v1/runs/${run}`);
    expect({ status: down.status, retry: down.headers.get('retry-after') }).toEqual({ status: 503, retry: '1' });
    expect(((await down.json()) as Problem).code).toBe('unavailable');
    expect((await rig().ask('/health/ready')).status).toBe(503);
    await startStore();
    await until(() =>
      rig()
        .record('segment-runner', run, itemStarted('late'))
        .then(() => true),
    );
    await rig().record('coordinator', run, completed);
    await watching;
    const stored: number[] = [];
    for await (const { revision } of log.read(`run-${run}`)) stored.push(revision);
    expect(seen.map(({ revision }) => revision)).toEqual(stored);
    const framed: number[] = [];
    for await (const frame of live) {
      if (frame.type === 'event') framed.push(frame.event.revision);
      if (framed.length === stored.length) break;
    }
    expect(framed).toEqual(stored);
    live.drop();
  });

  it('tells its viewers when it is stopped, and ends', async () => {
    const run = await rig().aRun();
    const live = await LiveViewer.connect(rig());
    const words: string[] = [];
    const watching = (async () => {
      for await (const { event } of sse(rig(), run)) words.push(event);
    })();
    await until(() => words.length === 1);
    expect(await gateway.stop()).toBe(0);
    await watching;
    expect(words).toEqual(['RunRequested', 'goodbye']);
    expect(await live.closed).toEqual({ code: 1_001 });
  });
});

describe('a gateway and its bus', () => {
  it('knows a segment by its heartbeats, and says that it does not while the bus is away', async () => {
    const run = await rig().aRun();
    await work(run, 1);
    const bus = await Bus.connect({ url: nats.url, name: 'test', logger: silentLogger });
    const beat = (heldUpMs?: number): void => {
      const sentAt = new Date().toISOString();
      const activity = { kind: 'tool' as const, detail: 'wc -l a.csv', since: sentAt };
      const pulse = { segment: 1, runnerId: 'runner-1', pid: 4_242, revision: 3, loopAgeMs: 1 };
      bus.emit(`${Heartbeat.subject}.${run}`, {
        runId: run,
        sentAt,
        activity,
        ...pulse,
        ...(heldUpMs ? { heldUpMs } : {}),
      });
    };
    const view = await until(async () => {
      beat();
      const now = await viewOf(run);
      return now.heartbeat?.verdict === 'alive' ? now : undefined;
    });
    expect(view.activity).toMatchObject({ kind: 'tool', detail: 'wc -l a.csv' });
    expect(view.heartbeat?.ageMs).toBeLessThan(2_500);
    beat(4_000);
    const slow = await until(async () => {
      const { heartbeat } = await viewOf(run);
      return heartbeat?.verdict === 'slow' ? heartbeat : undefined;
    });
    expect(slow.heldUpMs).toBe(4_000);
    await until(async () => (await viewOf(run)).heartbeat?.verdict === 'silent');
    await nats.kill();
    await until(async () => (await viewOf(run)).heartbeat?.verdict === 'unknown');
    expect((await rig().post('/v1/runs', { agent: 'profiler' })).status).toBe(201);
    expect((await rig().post(`/v1/runs/${run}/cancel`, {})).status).toBe(202);
    await bus.close();
  });

  it('passes on what the model is writing, to those who ask for it', async () => {
    const run = await rig().aRun();
    const bus = await Bus.connect({ url: nats.url, name: 'test', logger: silentLogger });
    const [asking, quiet] = [await LiveViewer.connect(rig()), await LiveViewer.connect(rig())];
    asking.say({ type: 'follow', run, from: 1, deltas: true });
    quiet.say({ type: 'follow', run, from: 1 });
    expect(await asking.take(1)).toMatchObject([{ type: 'caught-up' }]);
    expect(await quiet.take(1)).toMatchObject([{ type: 'caught-up' }]);
    const arrived = asking.take(1);
    let there = false;
    void arrived.finally(() => {
      there = true;
    });
    await until(() => {
      bus.emit(`${LiveDelta.subject}.${run}`, { runId: run, segment: 1, turn: 1, text: 'Hel' });
      return there;
    });
    expect(await arrived).toEqual([{ type: 'delta', run, turn: 1, text: 'Hel' }]);
    await rig().record('coordinator', run, completed);
    expect(await quiet.take(1)).toMatchObject([{ type: 'event', event: { type: 'RunCompleted' } }]);
    await bus.close();
    asking.drop();
    quiet.drop();
  });
});
