import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { CallId, type CallState, type ExternalTools, HttpTool, type Json, type RunId } from '#contracts';
import { ManagerUnderTest } from '../test/manager-under-test.js';
import { plantServer } from '../test/mcp-fixture.js';
import { requestRun } from '../test/request-run.js';
import { aRun, aSpec, finished, Rig } from '../test/rig.js';
import { until } from '../test/until.js';
import { Folders } from './folders.js';
import { bootId } from './machine.js';
import { processName } from './processes.js';

const callId = CallId.parse('1-0');

describe('a manager that is killed while a tool beyond the workspace is at work', () => {
  let rig: Rig;
  let runId: RunId;
  let manager: ManagerUnderTest;
  let site: Server;
  let asked: string[];

  beforeEach(async () => {
    rig = new Rig();
    runId = aRun();
    await requestRun(rig, runId);
    asked = [];
    site = createServer((request, response) => {
      asked.push([request.url, request.headers['idempotency-key'], request.headers['x-token']].join(' '));
      if (request.url !== '/hang') response.end('answered');
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    mkdirSync(join(rig.folder, 'secrets'));
    writeFileSync(join(rig.folder, 'secrets', 'TOKEN'), 'a-secret-in-a-file\n');
    manager = await ManagerUnderTest.start(rig.folder);
    await manager.ask('open', { runId, segment: 1, spec: aSpec(), files: [], external: external() });
  });
  afterEach(async () => {
    await manager.kill();
    site.close();
    site.closeAllConnections();
    await rig.close();
  });

  function external(): ExternalTools {
    const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    const tool = (name: string, method: string): HttpTool =>
      HttpTool.parse({
        name,
        description: name,
        method,
        url: `${url}/${name}`,
        allowPrivate: true,
        headers: { 'x-token': '{secret:TOKEN}' },
      });
    const mcp = { test: { command: ['node', 'mcp/server.mjs', 'stdio'], env: {} } };
    return { http: [tool('hang', 'GET'), tool('pay', 'POST')], mcp, secrets: ['TOKEN'] };
  }
  const restart = async (): Promise<void> => {
    await manager.kill();
    manager = await ManagerUnderTest.start(rig.folder);
  };
  const folders = () => new Folders(join(rig.folder, 'data'));
  const file = (name: string) => join(rig.files(runId), name);
  const call = (tool: string, input: Record<string, Json>, waitMs = 60_000, attempt?: number): Promise<CallState> => {
    const limits = { limitMs: 60_000, outputBytes: 30_000, waitMs };
    return manager.ask('runCall', { runId, segment: 1, callId, attempt, tool, input, ...limits });
  };
  const ask = (attempt?: number) => manager.ask('askCall', { runId, segment: 1, callId, attempt, waitMs: 20_000 });
  const check = async (seconds: number): Promise<string> => {
    const request = { runId, segment: 1, tool: 'check_command', limitMs: 60_000, outputBytes: 30_000, waitMs: 60_000 };
    const input = { command_id: '1-0', wait_seconds: seconds };
    checks += 1;
    return finished(await manager.ask('runCall', { ...request, callId: CallId.parse(`2-${checks}`), input })).text;
  };
  let checks = 0;

  it('says that a request which was out is unknown, and sends it again only as another attempt', async () => {
    await call('hang', {}, 0);
    await until(() => asked.length === 1);
    await restart();
    expect(await ask()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('under way') });
    expect(await call('hang', {})).toMatchObject({ state: 'unknown' });
    expect(asked).toHaveLength(1);
    expect((await call('hang', {}, 0, 2)).state).toBe('running');
    await until(() => asked.length === 2);
    expect(new Set(asked)).toEqual(new Set([`/hang ${runId}/1-0 a-secret-in-a-file`]));
  });

  it('has the answer that came before it died, and its tools still', async () => {
    expect(finished(await call('pay', { amount: 1 })).text).toBe('answered\n[HTTP 200 OK]');
    await restart();
    expect(finished(await ask()).text).toBe('answered\n[HTTP 200 OK]');
    expect(finished(await call('pay', { amount: 1 })).text).toBe('answered\n[HTTP 200 OK]');
    expect(asked).toHaveLength(1);
    expect(finished(await call('pay', { amount: 1 }, 60_000, 2)).outcome).toBe('ok');
    expect(asked).toHaveLength(2);
  });

  it('says of a call between its journal row and its request that it is unknown: nobody can tell', async () => {
    await manager.kill();
    const db = new DatabaseSync(folders().journal);
    db.exec(`INSERT INTO calls
      (run_id, call_id, attempt, segment, tool, input_digest, limit_ms, output_bytes, started_at, boot_id, state) VALUES
      ('${runId}', '1-0', 1, 1, 'pay', 'x', 1000, 1000, ${Date.now()}, '${bootId()}', 'running')`);
    db.close();
    manager = await ManagerUnderTest.start(rig.folder);
    expect(await ask()).toMatchObject({ state: 'unknown' });
    expect(asked).toEqual([]);
  });

  it('takes its MCP servers with it, says that their calls are unknown, and starts them again', async () => {
    plantServer(rig.files(runId));
    await call('test__count-and-hang', { file: 'counted' }, 0);
    await until(() => existsSync(file('counted')), 60_000);
    await restart();
    expect(await ask()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('MCP server had the call') });
    expect(await call('test__count-and-hang', { file: 'counted' })).toMatchObject({ state: 'unknown' });
    expect(readFileSync(file('counted'), 'utf8')).toBe('counted\n');
    expect(finished(await call('test__count_up', { file: 'counted' }, 60_000, 2)).text).toBe('counted');
    expect(readFileSync(file('counted'), 'utf8')).toBe('counted\ncounted\n');
    expect(await manager.ask('discoverTools', { runId, segment: 1, servers: ['test'] })).toMatchObject({
      discoveries: [{ state: 'ready', ended: 'It was stopped because its workspace-manager ended.' }],
    });
  });

  it('finds a command in the background again, killed twice, and its end', async () => {
    const command = 'echo started >>ledger; until test -e go; do sleep 0.05; done; echo done; exit 4';
    expect(finished(await call('bash', { command, background: true })).outcome).toBe('ok');
    await until(() => existsSync(file('ledger')));
    await restart();
    expect(await check(0)).toContain('still runs');
    await manager.kill();
    writeFileSync(file('go'), '');
    const exit = join(folders().call({ runId, callId, attempt: 1 }), 'exit');
    await until(() => readFileSync(exit, 'utf8').startsWith('exit'));
    manager = await ManagerUnderTest.start(rig.folder);
    expect(await check(30)).toMatch(/^done\n\[exit status 4\]\n/);
    await restart();
    expect(await check(0)).toMatch(/^done\n\[exit status 4\]\n/);
    expect(readFileSync(file('ledger'), 'utf8')).toBe('started\n');
  });

  it.each([0, 3, 10, 30])(
    'starts a command in the background once when it is killed %i ms after the request',
    async (ms) => {
      const input = { command: 'echo started >>ledger; sleep 300', background: true };
      call('bash', input).catch(() => undefined);
      const at = performance.now() + ms;
      await until(() => performance.now() >= at);
      await restart();
      const found = await ask();
      const state = found.state === 'absent' ? await call('bash', input) : found;
      expect(finished(state)).toMatchObject({ outcome: 'ok', text: expect.stringContaining('its id is 1-0') });
      await until(() => existsSync(file('ledger')));
      const shim = Number.parseInt(
        readFileSync(join(folders().call({ runId, callId, attempt: 1 }), 'claim'), 'utf8'),
        10,
      );
      await rig.ended(runId);
      await manager.ask('tidy', {});
      // What is dead is still listed until init has asked for its exit code.
      await until(() => processName(shim) === undefined);
      expect(readFileSync(file('ledger'), 'utf8')).toBe('started\n');
    },
  );
});
