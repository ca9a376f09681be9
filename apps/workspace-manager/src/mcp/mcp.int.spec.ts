import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { CallId, type Discovery, type McpServer } from '#contracts';
import { Blobs } from '#log';
import { plantServer, serverProcesses, startHttpServer } from '../../test/mcp-fixture.js';
import { aSpec, Bench, finished, Rig } from '../../test/rig.js';
import { until } from '../../test/until.js';
import { processName } from '../processes.js';

const TOKEN = 'canary-0f63b1e9';
const stdio: McpServer = {
  command: ['node', 'mcp/server.mjs', 'stdio'],
  env: { TOKEN: '{secret:TOKEN}' },
};

async function discovered(bench: Bench, server = 'test'): Promise<Discovery> {
  const { runId, segment } = bench;
  const { discoveries } = await bench.manager.workspaces.discoverTools({ runId, segment, servers: [server] });
  return discoveries[0] as Discovery;
}
const instanceOf = (found: Discovery): string | undefined => (found.state === 'ready' ? found.instance : undefined);

/** The servers whose connections have broken, as the manager says it. */
const lost: string[] = [];
const onServerLost = (_: unknown, server: string): void => void lost.push(server);
const withServers = async (rig: Rig, mcp: Record<string, McpServer>): Promise<Bench> => {
  const secrets = { variables: new Map([['TOKEN', TOKEN]]), folder: undefined };
  const bench = new Bench(await rig.manager('data', { secrets, onServerLost }));
  return bench.open(aSpec({ processes: 64 }), [], { http: [], mcp, secrets: ['TOKEN'] });
};

describe('an MCP server in the workspace', () => {
  const rig = new Rig();
  let bench: Bench;
  const file = (name: string): string => join(rig.files(bench.runId), name);

  beforeAll(async () => {
    bench = await withServers(rig, { test: stdio, gone: { command: ['/no/such/server'], env: {} } });
    plantServer(rig.files(bench.runId));
  });
  afterAll(() => rig.close());

  it('declares its tools under its name, with the effects that its hints give', async () => {
    const found = await discovered(bench);
    if (found.state !== 'ready') throw new Error(found.reason);
    const effects = Object.fromEntries(found.tools.map(({ name, effect }) => [name, effect]));
    expect(effects).toMatchObject({ test__echo: 'none', test__count_up: 'once', test__put: 'idempotent' });
    const cut = found.tools.find(({ name }) => name.startsWith('test__a-name'));
    expect(cut?.name).toMatch(/^test__a-name-that-.{37}_[0-9a-f]{8}$/);
    expect(effects).not.toHaveProperty('test__rubbish');
  });

  it('carries out calls, and is not asked with an input that does not fit', async () => {
    expect(finished(await bench.call('test__echo', { text: 'hello' }))).toEqual({ outcome: 'ok', text: 'hello' });
    const { runId, manager } = bench;
    const check = (tool: string, text: string) =>
      manager.workspaces.checkCall({ runId, segment: bench.segment, tool, input: { text } });
    expect(await check('test__echo', 'HELLO')).toEqual({ fault: expect.stringContaining('input/text') as string });
    expect(await check('test__echo', 'hello')).toEqual({});
    expect(await check('gone__tool', 'hello')).toEqual({});
    const wrong = finished(await bench.call('test__echo', { text: 'HELLO' }));
    expect(wrong).toMatchObject({ outcome: 'rejected', text: expect.stringContaining('input/text') });
    expect(finished(await bench.call('test__fail', {}))).toEqual({ outcome: 'error', text: 'it is broken' });
    expect(finished(await bench.call('test__nothing', {})).text).toContain('has no tool test__nothing');
    expect(finished(await bench.call('test__picture', {})).text).toBe('[image, image/png, 3 bytes: not shown]');
  });

  it('shows images and documents as what they are, whatever is said of them, from the blob store', async () => {
    const state = await bench.call('test__scan', {});
    expect(state).toMatchObject({
      outcome: 'ok',
      content: [
        { type: 'text', text: 'two pages' },
        { type: 'image', blob: { mediaType: 'image/png', bytes: 11 } },
        { type: 'document', blob: { mediaType: 'application/pdf' }, title: 'file:///a.pdf' },
      ],
    });
    const blob =
      state.state === 'finished' && state.content[2]?.type === 'document' ? state.content[2].blob : undefined;
    expect((await new Blobs(rig.log).get(blob?.digest ?? '')).toString()).toBe('%PDF-1.7 ...');
  });

  it('runs a call once however often it is delivered', async () => {
    const callId = bench.nextId();
    const call = () => bench.call('test__count_up', { file: 'counted' }, { callId });
    const states = await Promise.all([call(), call(), call()]);
    expect([...states, await call()].map((state) => finished(state).text)).toEqual(Array(4).fill('counted'));
    expect(readFileSync(file('counted'), 'utf8')).toBe('counted\n');
  });

  it('is given its secrets, and does not get them past the manager', async () => {
    expect(finished(await bench.call('test__reveal', {})).text).toBe('env [secret TOKEN] header undefined');
  });

  it('that never answers costs its call and nothing else', async () => {
    const hanging = bench.call('test__hang', {}, { limitMs: 400, effect: 'none' });
    expect(finished(await bench.call('test__echo', { text: 'meanwhile' })).text).toBe('meanwhile');
    expect(finished(await hanging).outcome).toBe('timed-out');
    // It may have done something: nobody says that it did not.
    await bench.call('test__echo', { text: 'here' });
    expect(await bench.call('test__count-and-hang', { file: 'hung' }, { limitMs: 3_000 })).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('did not answer'),
    });
    expect(readFileSync(file('hung'), 'utf8')).toBe('counted\n');
  });

  it('whose patterns never come to an end is stopped by the clock', async () => {
    const { outcome, text } = finished(await bench.call('test__backtrack', { text: `${'a'.repeat(60)}!` }));
    expect(outcome).toBe('rejected');
    expect(text).toContain('cannot be checked');
  });

  it('that dies leaves its call in doubt and is started again by the next', async () => {
    expect(await bench.call('test__die', {})).toMatchObject({ state: 'unknown' });
    expect(finished(await bench.call('test__echo', { text: 'again' })).text).toBe('again');
  });

  it('that is killed between calls is told of at once, and started again as another one', async () => {
    const before = await discovered(bench);
    const heard = lost.length;
    const { groups } = bench.manager.means;
    const names = groups?.names().filter((one) => one.includes('.mcp-test-')) ?? [];
    const pids = names.flatMap((name) => groups?.members(groups.of(name)) ?? []);
    expect(pids).not.toEqual([]);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await until(() => lost.length > heard);
    expect(lost.at(-1)).toBe('test');
    const after = await discovered(bench);
    expect(after).toMatchObject({ state: 'ready', ended: expect.stringContaining('The MCP server test has ended') });
    expect(after).not.toMatchObject({ instance: instanceOf(before) });
    expect(instanceOf(await discovered(bench))).toBe(instanceOf(after));
  });

  it('that floods is ended', async () => {
    const state = await bench.call('test__flood', {});
    expect(state).toMatchObject({ state: 'unknown', reason: expect.stringContaining('far more than was asked for') });
    expect(finished(await bench.call('test__echo', { text: 'still here' })).text).toBe('still here');
  });

  it('that cannot be started is said to be unavailable, and not tried at every call', async () => {
    const found = await discovered(bench, 'gone');
    expect(found).toMatchObject({ state: 'unavailable', reason: expect.stringContaining('gone is not available') });
    const { outcome, text } = finished(await bench.call('gone__tool', {}));
    expect(outcome).toBe('error');
    expect(text).toMatch(/tried again in \d+ s/);
  });

  it('gets the processor after all that is Baton’s own, as commands do', async () => {
    await bench.call('test__echo', { text: 'here' });
    expect(serverProcesses(bench.manager)().map((pid) => getPriority(pid))).not.toContain(0);
    expect(finished(await bench.bash('nice')).text).toBe('10\n');
  });

  it('ends when the run has ended', async () => {
    await bench.call('test__echo', { text: 'here' });
    const members = serverProcesses(bench.manager);
    const before = members();
    await rig.ended(bench.runId);
    await bench.manager.tidy();
    await until(() => before.every((pid) => processName(pid) === undefined));
    expect(members()).toEqual([]);
  });
});

describe('an MCP server over HTTP', () => {
  const rig = new Rig();
  afterAll(() => rig.close());

  it('is reached where the agent file allows it, with its secrets, and comes back after it was gone', async () => {
    let server = await startHttpServer();
    const url = `http://127.0.0.1:${server.port}/mcp`;
    const headers = { 'x-token': '{secret:TOKEN}' };
    const bench = await withServers(rig, {
      open: { url, headers, allowPrivate: true },
      closed: { url, headers: {}, allowPrivate: false },
    });
    expect(await discovered(bench, 'closed')).toMatchObject({
      state: 'unavailable',
      reason: expect.stringContaining('not on the public internet'),
    });
    expect((await discovered(bench, 'open')).state).toBe('ready');
    expect(finished(await bench.call('open__reveal', {})).text).toBe('env undefined header [secret TOKEN]');
    const hanging = bench.call('open__hang', {}, { limitMs: 300, effect: 'none' });
    expect(finished(await hanging).outcome).toBe('timed-out');

    await server.kill();
    expect(await discovered(bench, 'open')).toMatchObject({ state: 'unavailable' });
    const { outcome, text } = finished(await bench.call('open__echo', { text: 'anybody' }));
    expect(outcome).toBe('error');
    expect(text).toContain('open is not available');
    server = await startHttpServer(server.port);
    let calls = 0;
    await until(async () => {
      calls += 1;
      const callId = CallId.parse(`900-${calls}`);
      return finished(await bench.call('open__echo', { text: 'back' }, { callId })).outcome === 'ok';
    }, 30_000);
    await server.kill();
  });
});
