import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CallState, HttpTool, type Json } from '#contracts';
import { aSpec, Bench, finished, Rig } from '../../test/rig.js';
import { until } from '../../test/until.js';
import type { Address } from '../network/request.js';

const TOKEN = 'canary/7d1c+e9';
const PRIVATE: Address = { address: '127.0.0.1', family: 4 };

/** A server that may be hostile, and what it was asked. */
class Site {
  readonly asked: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  private constructor(private readonly server: Server) {}

  static async start(answer: RequestListener): Promise<Site> {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        site.asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
        answer(request, response);
      });
    });
    const site = new Site(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return site;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

describe('a tool that is an HTTP request', () => {
  const rig = new Rig();
  const names = new Map<string, Address[]>();
  let site: Site;
  let other: Site;
  let bench: Bench;

  beforeAll(async () => {
    other = await Site.start((request, response) =>
      response.end(`elsewhere ${String(request.headers['x-token'] ?? 'nothing')}`),
    );
    site = await Site.start((request, response) => {
      const path = (request.url ?? '').split('?')[0];
      if (path === '/hang') return;
      if (path === '/cut') return void request.socket.destroy();
      if (path === '/missing') return void response.writeHead(404).end(`no, ${String(request.headers['x-token'])}`);
      if (path === '/binary') return void response.setHeader('content-type', 'image/png').end(Buffer.from([0, 255, 1]));
      if (path === '/endless') {
        const more = (): boolean =>
          response.write('x'.repeat(100_000), () => !response.destroyed && setImmediate(more));
        return void more();
      }
      if (path === '/loop') return void response.writeHead(302, { location: '/loop' }).end();
      if (path === '/away') return void response.writeHead(307, { location: other.url }).end();
      if (path?.startsWith('/orders/9')) return void response.writeHead(path.endsWith('done') ? 200 : 404).end('found');
      response.end(`${request.method} ${request.url}`);
    });
    const tool = (name: string, more: object): HttpTool =>
      HttpTool.parse({
        name,
        description: name,
        method: 'GET',
        allowPrivate: true,
        url: `${site.url}/${name}`,
        ...more,
      });
    const secret = { 'X-Token': '{secret:TOKEN}' };
    const http = [
      tool('find', {
        url: `${site.url}/files/{path}?kind={kind}`,
        input: { type: 'object', properties: { limit: { type: 'integer' } }, required: ['path', 'kind'] },
      }),
      tool('pay', { method: 'POST', headers: secret, probe: { url: `${site.url}/orders/{order}?call={call}` } }),
      ...['hang', 'cut', 'missing', 'binary', 'endless', 'loop'].map((name) => tool(name, { headers: secret })),
      tool('cut_post', { method: 'POST', url: `${site.url}/cut` }),
      tool('hang_post', { method: 'POST', url: `${site.url}/hang` }),
      tool('away', { method: 'POST', headers: secret }),
      tool('rebound', { url: `http://rebound.test:${site.port}/x`, allowPrivate: false }),
      tool('literal', { url: `http://2130706433:${site.port}/x`, allowPrivate: false }),
      tool('mapped', { url: `http://[::ffff:127.0.0.1]:${site.port}/x`, allowPrivate: false }),
      tool('unset', { headers: { a: '{secret:UNSET}' } }),
      tool('foreign', { headers: { a: '{secret:FOREIGN}' } }),
    ];
    const secrets = {
      variables: new Map([
        ['TOKEN', TOKEN],
        ['FOREIGN', 'not-for-this-agent'],
      ]),
      folder: undefined,
    };
    const resolve = async (host: string): Promise<Address[]> => names.get(host) ?? [];
    bench = new Bench(await rig.manager('data', { secrets, resolve }));
    await bench.open(aSpec(), [], { http, mcp: {}, secrets: ['TOKEN', 'UNSET'] });
  });
  afterAll(async () => {
    site.stop();
    other.stop();
    await rig.close();
  });
  const asked = (url: string) => site.asked.filter((request) => request.url.startsWith(url));
  const probe = (input: Record<string, string>, tool = 'pay') =>
    bench.manager.workspaces.probeCall({ runId: bench.runId, segment: 1, callId: bench.nextId(), tool, input });

  it('puts the input into the URL, encoded, and the rest into the query or the body', async () => {
    const input = { path: 'a/b ?', kind: 'x&y', limit: 3, tags: ['p', 'q'] };
    expect(finished(await bench.call('find', input))).toEqual({
      outcome: 'ok',
      text: 'GET /files/a%2Fb%20%3F?kind=x%26y&limit=3&tags=p&tags=q\n[HTTP 200 OK]',
    });
    const callId = bench.nextId();
    await bench.call('pay', { order: '7', amount: 5 }, { callId });
    const [paid] = asked('/pay');
    expect(JSON.parse(paid?.body ?? '')).toEqual({ order: '7', amount: 5 });
    expect(paid?.headers).toMatchObject({ 'x-token': TOKEN, 'idempotency-key': `${bench.runId}/${callId}` });
  });

  it('is not sent with an input that does not fit, or leads to another folder', async () => {
    const before = site.asked.length;
    expect(finished(await bench.call('find', { path: 'a' })).outcome).toBe('rejected');
    expect(finished(await bench.call('find', { path: 'a', kind: 'b', limit: 'many' })).text).toContain(
      'must be integer',
    );
    expect(finished(await bench.call('find', { path: '..', kind: 'b' })).text).toContain('part of the path');
    expect(finished(await bench.call('nothing', {})).text).toBe('A workspace has no tool nothing.');
    expect(site.asked.length).toBe(before);
  });

  it('is sent once however often it is delivered, and again with the same key in another attempt', async () => {
    const callId = bench.nextId();
    const before = asked('/pay').length;
    const pay = (attempt?: number): Promise<CallState> => bench.call('pay', { order: '8' }, { callId, attempt });
    await Promise.all([pay(), pay(), pay()]);
    expect(asked('/pay').length).toBe(before + 1);
    await pay(2);
    await pay(2);
    const keys = asked('/pay')
      .slice(before)
      .map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([`${bench.runId}/${callId}`, `${bench.runId}/${callId}`]);
    const { calls } = bench.manager.workspaces.readJournal({ runId: bench.runId });
    expect(calls.filter((call) => call.callId === callId)).toMatchObject([
      { executions: 1 },
      { attempt: 2, executions: 1 },
    ]);
  });

  it('tells what a server refuses, without the secret that it repeats', async () => {
    expect(finished(await bench.call('missing', {}))).toEqual({
      outcome: 'error',
      text: 'no, [secret TOKEN]\n[HTTP 404 Not Found]',
    });
  });

  it('names a secret that is not set, or not for this agent, and sends nothing', async () => {
    expect(finished(await bench.call('unset', {}))).toMatchObject({
      outcome: 'error',
      text: expect.stringContaining('BATON_SECRET_UNSET'),
    });
    expect(finished(await bench.call('foreign', {})).text).toContain('is not for this agent');
    expect(asked('/unset')).toEqual([]);
  });

  it('describes what is no text, and stores it', async () => {
    const state = await bench.call('binary', {});
    expect(finished(state).text).toContain('not text: image/png, 3 bytes');
    expect(state).toMatchObject({ whole: { bytes: 3, mediaType: 'image/png' } });
  });

  it('ends an answer that has no end', async () => {
    const state = await bench.call('endless', {}, { outputBytes: 1_000 });
    expect(finished(state).text).toContain('longer than 8388608 bytes');
    expect(state).toMatchObject({ whole: { bytes: 8_388_608 } });
  });

  it('ends at its time limit; what may have taken effect is in doubt', async () => {
    expect(finished(await bench.call('hang', {}, { limitMs: 200, effect: 'none' })).outcome).toBe('timed-out');
    expect(finished(await bench.call('cut', {}, { effect: 'none' })).outcome).toBe('error');
    expect(await bench.call('hang_post', {}, { limitMs: 1_000 })).toMatchObject({ state: 'unknown' });
    expect(await bench.call('cut_post', {})).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('was sent'),
    });
  });

  it('is judged by the effect that the agent file gives it, when it is cut', async () => {
    expect(finished(await bench.call('cut_post', {}, { effect: 'none' })).outcome).toBe('error');
    expect(await bench.call('cut', {}, { effect: 'once' })).toMatchObject({ state: 'unknown' });
  });

  it('has its input checked before anything is asked or sent', async () => {
    const before = asked('/files/a').length;
    const { runId, manager } = bench;
    const check = (input: Record<string, Json>) =>
      manager.workspaces.checkCall({ runId, segment: 1, tool: 'find', input });
    expect(await check({ path: 'a', kind: 'b', limit: 'many' })).toEqual({
      fault: expect.stringContaining('input/limit must be integer') as string,
    });
    expect(await check({ path: 'a', kind: 'b', limit: 3 })).toEqual({});
    const unknown = await manager.workspaces.checkCall({ runId, segment: 1, tool: 'nothing', input: {} });
    expect(unknown).toEqual({ fault: 'A workspace has no tool nothing.' });
    expect(asked('/files/a')).toHaveLength(before);
  });

  it('is stopped within a second', async () => {
    const callId = bench.nextId();
    const before = asked('/hang').length;
    await bench.call('hang', {}, { callId, waitMs: 0, effect: 'none' });
    await until(() => asked('/hang').length > before);
    const begun = performance.now();
    const { runId } = bench;
    const state = await bench.manager.workspaces.stopCall({ runId, segment: 1, callId, because: 'cancelled' });
    expect(finished(state).outcome).toBe('cancelled');
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('follows five redirects, and takes no secret to another origin', async () => {
    expect(finished(await bench.call('loop', {})).text).toContain('More than 5 redirects');
    expect(finished(await bench.call('away', { a: 1 })).text).toBe('elsewhere nothing\n[HTTP 200 OK]');
    expect(other.asked.at(-1)).toMatchObject({ method: 'POST', body: '{"a":1}' });
  });

  it('reaches no private address: by its name, its number, or a name that changes its meaning', async () => {
    const before = site.asked.length;
    names.set('rebound.test', [{ address: '93.184.216.34', family: 4 }, PRIVATE]);
    for (const name of ['rebound', 'literal', 'mapped']) {
      const { outcome, text } = finished(await bench.call(name, {}));
      expect(outcome).toBe('error');
      expect(text).toContain('not on the public internet');
    }
    expect(site.asked.length).toBe(before);
  });

  it('finds out by its probe whether a call took effect', async () => {
    expect(await probe({ order: '9done' })).toMatchObject({
      found: 'done',
      content: [{ text: 'found\n[HTTP 200 OK]' }],
    });
    expect(await probe({ order: '9' })).toEqual({ found: 'not-done' });
    expect(asked('/orders/9').at(-1)?.url).toMatch(/\?call=[0-9a-f-]{36}%2F\d+-0$/);
    expect(await probe({}, 'pay')).toMatchObject({ found: 'unknown', reason: expect.stringContaining('field order') });
    expect(await probe({}, 'find')).toMatchObject({ found: 'unknown', reason: expect.stringContaining('no probe') });
  });
});
