import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Discovery } from '#contracts';
import { until } from '#testing';
import { type HttpServer, startHttpServer } from '../../test/mcp-fixture.js';
import { aSpec, Bench, finished, Rig } from '../../test/rig.js';

/** Far longer than any test: a call that ends sooner was not ended by its limit. */
const LIMIT_MS = 600_000;

/*
 * A real server over streamable HTTP that keeps its sessions in its memory: killed, and started again on its port, it
 * answers 404 to whoever still names one.
 */
describe.each(['sessions', 'resumable'] as const)('an MCP server over HTTP with %s', (mode) => {
  const rig = new Rig();
  const folder = mkdtempSync(join(tmpdir(), 'baton-sessions-'));
  let server: HttpServer;
  let bench: Bench;
  /** The servers whose connections have broken, as the manager says it. */
  const lost: string[] = [];

  beforeAll(async () => {
    server = await startHttpServer(0, mode);
    const url = `http://127.0.0.1:${server.port}/mcp`;
    bench = new Bench(await rig.manager('data', { onServerLost: (_, name) => void lost.push(name) }));
    await bench.open(aSpec(), [], { http: [], mcp: { far: { url, headers: {}, allowPrivate: true } }, secrets: [] });
  });
  afterAll(async () => {
    await rig.close();
    await server.kill();
    rmSync(folder, { recursive: true });
  });

  const discovered = async (): Promise<Discovery> => {
    const { runId, segment } = bench;
    const { discoveries } = await bench.manager.workspaces.discoverTools({ runId, segment, servers: ['far'] });
    return discoveries[0] as Discovery;
  };
  const instance = async (): Promise<string | undefined> => {
    const found = await discovered();
    return found.state === 'ready' ? found.instance : undefined;
  };
  const sessions = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${server.port}/sessions`);
    return ((await response.json()) as readonly string[]).length;
  };
  const startedAgain = async (): Promise<void> => {
    await server.kill();
    server = await startHttpServer(server.port, mode);
  };
  const noted = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };

  it('has one session for all calls', async () => {
    const first = await instance();
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    expect(finished(await bench.call('far__echo', { text: 'hello' })).text).toBe('hello');
    expect(await instance()).toBe(first);
    expect(await sessions()).toBe(1);
  });

  it('that was started again takes no call of the old session, says so, and is used in a new one', async () => {
    const before = await instance();
    const file = join(folder, 'between');
    await startedAgain();
    const refused = finished(await bench.call('far__count_up', { file }));
    expect(refused.outcome).toBe('error');
    expect(refused.text).toMatch(/was not carried out|is not available/);
    expect(noted(file)).toBe('');
    await until(() => lost.length > 0);
    const found = await until(async () => {
      const now = await discovered();
      return now.state === 'ready' ? now : undefined;
    });
    expect(found).toMatchObject({ state: 'ready', hasSessions: true, ended: expect.stringContaining('far') });
    expect(found.instance).not.toBe(before);
    expect(finished(await bench.call('far__count_up', { file })).outcome).toBe('ok');
    expect(noted(file)).toBe('counted\n');
  });

  it('that was started again while nothing was asked of it is missed without being asked', async () => {
    await discovered();
    lost.length = 0;
    await startedAgain();
    await until(() => lost.includes('far'), 20_000);
    expect(await instance()).toBeDefined();
  });

  it('that is killed while it has a call leaves it in doubt at once, and nobody repeats it', async () => {
    const file = join(folder, `hung-${mode}`);
    const callId = bench.nextId();
    const call = () => bench.call('far__count-and-hang', { file }, { callId, limitMs: LIMIT_MS });
    const hanging = call();
    await until(() => noted(file) !== '');
    await startedAgain();
    expect(await hanging).toMatchObject({ state: 'unknown', reason: expect.stringContaining('did not answer') });
    await until(async () => (await discovered()).state === 'ready');
    expect(await call()).toMatchObject({ state: 'unknown' });
    expect(finished(await bench.call('far__echo', { text: 'on' })).text).toBe('on');
    expect(noted(file)).toBe('counted\n');
  });

  it('that is away is tried again ever later, and is there when it is back', async () => {
    await server.kill();
    await until(async () => (await discovered()).state === 'unavailable', 20_000);
    const away = await discovered();
    expect(away).toMatchObject({ reason: expect.stringMatching(/tried again in \d+ s/) });
    server = await startHttpServer(server.port, mode);
    await until(async () => (await discovered()).state === 'ready', 30_000);
    expect(finished(await bench.call('far__echo', { text: 'back' })).text).toBe('back');
  });

  it('is told when nobody needs the session any more', async () => {
    await discovered();
    expect(await sessions()).toBe(1);
    await rig.ended(bench.runId);
    await bench.manager.tidy();
    await until(async () => (await sessions()) === 0);
  });
});
