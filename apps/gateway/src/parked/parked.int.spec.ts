import { Bus } from '#bus';
import { AdvanceRun, RunId, WORK_CONSUMERS } from '#contracts';
import { createMemoryLog } from '#log';
import { newId, silentLogger, Unreadable } from '#platform';
import { startNats, type TestNats, until } from '#testing';
import { createGateway, type Gateway } from '../create-gateway.js';

const apiKey = 'a-key-for-tests-only';
let nats: TestNats;
let bus: Bus;
let gateway: Gateway;

beforeAll(async () => {
  nats = await startNats();
  bus = await Bus.connect({ url: nats.url, name: 'test', logger: silentLogger });
  gateway = await createGateway({ log: createMemoryLog(), parking: Promise.resolve(bus), apiKey });
});
afterAll(async () => {
  await gateway.close(0);
  await bus.close();
  await nats.stop();
});

const ask = (method: string, path: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${gateway.port}${path}`, { method, headers: { authorization: `Bearer ${apiKey}` } });

describe('parked messages over HTTP', () => {
  it('are listed, shown, replayed once what was wrong is mended, and dropped', async () => {
    let broken = true;
    const handled: string[] = [];
    bus.consume(AdvanceRun, WORK_CONSUMERS.advanceRun, async ({ runId }) => {
      if (broken) throw new Unreadable('cannot be read');
      handled.push(runId);
    });
    const runs = [RunId.parse(newId()), RunId.parse(newId())];
    for (const runId of runs) await bus.publish(`${AdvanceRun.subject}.${runId}`, { runId });
    await until(async () => ((await (await ask('GET', '/v1/parked')).json()) as { total: number }).total === 2);
    const [first] = await bus.parkedSince(0, 1);
    const shown = await (await ask('GET', '/v1/parked/1')).json();
    expect(shown).toMatchObject({ number: 1, reason: 'gave-up', error: 'cannot be read', body: first?.body });
    broken = false;
    expect((await ask('POST', '/v1/parked/1/replay')).status).toBe(200);
    await until(() => handled.length === 1);
    expect((await ask('DELETE', '/v1/parked/2')).status).toBe(204);
    for (const [method, path] of [
      ['GET', '/v1/parked/1'],
      ['POST', '/v1/parked/1/replay'],
      ['DELETE', '/v1/parked/2'],
      ['DELETE', '/v1/parked/99'],
    ] as const)
      expect((await ask(method, path)).status).toBe(404);
    expect((await ask('GET', '/v1/parked/none')).status).toBe(422);
    expect(await (await ask('GET', '/v1/parked')).json()).toEqual({ total: 0, newest: [] });
  });
});
