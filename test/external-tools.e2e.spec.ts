import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EventView, RunId } from '#contracts';
import { freePort, until } from '#testing';
import { type HttpServer, startHttpServer } from '../apps/workspace-manager/test/mcp-fixture.js';
import { ClusterRig, endedOnce, kill, TEST_MS } from './cluster-rig.js';

/*
 * Laws 2 and 5 for tools beyond the workspace: HTTP requests and MCP servers, with the segment's process and the manager
 * killed while they have the calls. The servers keep ledgers of their own: each effect happens once, or the run says that
 * it cannot know.
 */
let rig: ClusterRig;
let folder: string;
let site: Site;
beforeAll(async () => {
  rig = await ClusterRig.start();
  folder = await mkdtemp(join(tmpdir(), 'baton-external-'));
  site = await Site.open();
}, TEST_MS);
afterAll(async () => {
  site.close();
  await rig.remove();
  await rm(folder, { recursive: true, force: true });
}, TEST_MS);

/** A website that holds back its answers until it is told to let them go. */
class Site {
  /** `METHOD key` of each request, as it came. */
  readonly asked: string[] = [];
  private readonly held: ServerResponse[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      this.asked.push([request.method, request.headers['idempotency-key']].join(' '));
      this.held.push(response);
      if (this.open) this.answer();
    });
  }
  private open = false;

  static async open(): Promise<Site> {
    const site = new Site();
    await new Promise<void>((resolve) => site.server.listen(0, '127.0.0.1', resolve));
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on answers are held back, and the requests counted anew. */
  hold(): void {
    this.open = false;
    this.asked.length = 0;
  }

  answer(): void {
    this.open = true;
    for (const response of this.held.splice(0)) response.end('answered');
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** A PNG of one pixel. */
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

interface Turn {
  readonly calls: readonly { readonly tool: string; readonly input?: Record<string, string> }[];
}

/** Starts a run whose model plays the turns, as a person would: from an agent file with a folder of files. */
async function started(name: string, turns: readonly Turn[], tools: object): Promise<RunId> {
  const place = join(folder, name);
  await mkdir(join(place, 'files'), { recursive: true });
  await copyFile(new URL('ledger-mcp.mjs', import.meta.url), join(place, 'files', 'ledger-mcp.mjs'));
  await writeFile(join(place, 'files', 'dot.png'), Buffer.from(DOT, 'base64'));
  const spec = {
    name,
    model: { name: 'simulator' },
    instructions: 'Use the tools.',
    tools: ['bash'],
    workspace: { files: 'files' },
    simulate: { policy: 'script', turns },
    ...tools,
  };
  await writeFile(join(place, 'agent.json'), JSON.stringify(spec));
  const printed: unknown = JSON.parse(await rig.baton('run', join(place, 'agent.json'), '--json'));
  return RunId.parse((printed as { readonly id: string }).id);
}

const httpTools = () => {
  const tool = (name: string, method: string) => ({ name, description: name, method, url: `${site.url}/${name}` });
  const tools = [tool('find', 'GET'), tool('put', 'PUT'), tool('pay', 'POST')];
  return { http: tools.map((one) => ({ ...one, allowPrivate: true })) };
};
const HTTP_CALLS: Turn = { calls: [{ tool: 'find' }, { tool: 'put' }, { tool: 'pay' }] };

/** The tokens that the model was shown for a turn, wherever they came from. */
function promptOf({ data }: EventView): number {
  const usage = data['usage'] as Record<'inputTokens' | 'cacheReadTokens' | 'cacheWriteTokens', number>;
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}

/** The facts about calls: `<type> <call> <what came of it>`. */
const factsOf = (events: readonly EventView[], type: string, field: string): readonly string[] =>
  events
    .filter((event) => event.type === type)
    .map(({ data }) => [data['callId'], data[field]].join(' '))
    .toSorted();

async function segmentKilled(id: RunId): Promise<void> {
  kill(await rig.childOf(id));
  await rig.recorded(id, 'SegmentEnded', ({ reason }) => reason === 'crashed');
}

async function managerKilled(): Promise<void> {
  const manager = await rig.pidOf('workspace-manager');
  kill(manager);
  await until(async () => (await rig.pidOf('workspace-manager')) !== manager);
}

/** A person says what became of a call in doubt. */
async function settled(id: RunId, callId: string, decision: 'done' | 'not-done'): Promise<void> {
  const { data } = await rig.recorded(id, 'ApprovalRequested', (asked) => asked['callId'] === callId);
  expect(data['about']).toBe('doubt');
  expect(await rig.baton('status', id)).toContain(`npx baton deny ${id} ${callId} --digest`);
  const words = ['--decision', decision, '--digest', String(data['inputDigest']).slice(0, 8), '--reason', 'I looked.'];
  await rig.baton('deny', id, callId, ...words);
}

describe('HTTP requests that are out', () => {
  it(
    'are answered to the next segment when the one that asked is killed, and are sent once',
    async () => {
      site.hold();
      const id = await started('http-segment', [HTTP_CALLS], httpTools());
      await until(() => site.asked.length === 3);
      await segmentKilled(id);
      site.answer();
      const events = await endedOnce(rig, id);
      expect(factsOf(events, 'ToolCallCompleted', 'outcome')).toEqual(['1-0 ok', '1-1 ok', '1-2 ok']);
      expect(events.filter(({ type }) => type === 'ToolCallInDoubt')).toEqual([]);
      expect([...site.asked].toSorted()).toEqual([`GET ${id}/1-0`, `POST ${id}/1-2`, `PUT ${id}/1-1`]);
    },
    TEST_MS,
  );

  it(
    'are sent again under the same key when the manager is killed, but for the one that acts once: a person is asked',
    async () => {
      site.hold();
      const id = await started('http-manager', [HTTP_CALLS], httpTools());
      await until(() => site.asked.length === 3);
      await managerKilled();
      await until(() => site.asked.length === 5);
      site.answer();
      await settled(id, '1-2', 'done');
      const events = await endedOnce(rig, id);
      expect(events.at(-1)?.type).toBe('RunCompleted');
      expect(factsOf(events, 'ToolCallInDoubt', 'segment')).toHaveLength(3);
      expect(factsOf(events, 'ToolCallCompleted', 'outcome')).toEqual(['1-0 ok', '1-1 ok']);
      expect(factsOf(events, 'ToolCallSettled', 'by')).toEqual(['1-2 person']);
      const [find, put, pay] = [`GET ${id}/1-0`, `PUT ${id}/1-1`, `POST ${id}/1-2`];
      expect([...site.asked].toSorted()).toEqual([find, find, pay, put, put].toSorted());
    },
    TEST_MS,
  );
});

/** The same MCP server over streamable HTTP, as a process beside the cluster. */
class Remote {
  private child: ChildProcess | undefined;
  constructor(
    readonly port: string,
    private readonly place: string,
  ) {}

  async start(): Promise<void> {
    const program = new URL('ledger-mcp.mjs', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, 'http', this.port], {
      cwd: this.place,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    await once(child.stdout, 'data');
  }

  async kill(): Promise<void> {
    if (!this.child) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    this.child = undefined;
    await gone;
  }

  openGate(entry: string): Promise<void> {
    return writeFile(join(this.place, `mcp-gate-${entry}`), '');
  }

  async notes(file: string): Promise<readonly string[]> {
    const text = await readFile(join(this.place, file), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }
}

describe('a picture in the workspace', () => {
  it(
    'is shown to the model as an image by read_file',
    async () => {
      const turns: Turn[] = [{ calls: [{ tool: 'read_file', input: { path: 'dot.png' } }] }];
      const id = await started('picture', turns, { tools: ['read_file'] });
      const events = await endedOnce(rig, id);
      const read = events.find(({ type }) => type === 'ToolCallCompleted');
      expect(read?.data).toMatchObject({
        outcome: 'ok',
        content: [{ type: 'image', blob: { mediaType: 'image/png' } }],
      });
      // The API counts an image by its size in pixels; the same bytes as text would be a few tokens.
      const [before = 0, after = 0] = events.filter(({ type }) => type === 'ModelTurnCompleted').map(promptOf);
      expect(after - before).toBeGreaterThan(1_000);
      expect(await rig.baton('verify', id)).toContain('All 2 requests');
    },
    TEST_MS,
  );
});

describe('MCP servers, over stdio and over HTTP', () => {
  let remote: Remote;
  beforeAll(async () => {
    const place = join(folder, 'remote');
    await mkdir(place, { recursive: true });
    remote = new Remote(String(await freePort()), place);
  });
  let sessions: HttpServer | undefined;
  afterAll(async () => {
    await remote.kill();
    await sessions?.kill();
  });

  const servers = () => ({
    mcp: {
      local: { command: ['node', 'ledger-mcp.mjs', 'stdio'] },
      remote: { url: `http://127.0.0.1:${remote.port}/mcp`, allowPrivate: true },
    },
  });
  const enter = (entry: string): Turn => ({
    calls: ['local', 'remote'].map((server) => ({ tool: `${server}__enter`, input: { entry } })),
  });
  const waitsFor = (file: string): Turn => ({
    calls: [{ tool: 'bash', input: { command: `until [ -e ${file} ]; do sleep 0.05; done` } }],
  });
  const uses = (...tools: readonly string[]): Turn => ({ calls: tools.map((tool) => ({ tool })) });

  it(
    'answer the next segment when the one that asked is killed, and are in doubt when the manager is',
    async () => {
      await remote.start();
      const id = await started('mcp-effects', [enter('a'), enter('b'), uses('local__look', 'remote__look')], servers());
      const begun = async (count: number): Promise<boolean> =>
        (await rig.notes(id, 'mcp-begun')).length === count && (await remote.notes('mcp-begun')).length === count;
      await until(() => begun(1));
      await segmentKilled(id);
      await Promise.all([rig.openGate(id, 'mcp-gate-a'), remote.openGate('a')]);

      await until(() => begun(2));
      await managerKilled();
      await remote.openGate('b');
      await settled(id, '2-0', 'not-done');
      await settled(id, '2-1', 'done');
      const events = await endedOnce(rig, id);
      expect(events.at(-1)?.type).toBe('RunCompleted');
      const outcomes = factsOf(events, 'ToolCallCompleted', 'outcome');
      expect(outcomes).toEqual(['1-0 ok', '1-1 ok', '3-0 ok', '3-1 ok']);
      expect(factsOf(events, 'ToolCallSettled', 'by')).toEqual(['2-0 person', '2-1 person']);
      // The server over stdio has died with its manager; the other one knows nothing of it.
      expect(await rig.notes(id, 'mcp-ledger')).toEqual(['a']);
      expect(await remote.notes('mcp-ledger')).toEqual(['a', 'b']);
      await remote.kill();
    },
    TEST_MS,
  );

  it(
    'are said to be away in the status and to the model, and are used again when they are back',
    async () => {
      const turns = [
        waitsFor('gate'),
        uses('remote__look', 'local__fall'),
        waitsFor('later'),
        uses('local__look', 'remote__look'),
      ];
      const id = await started('mcp-away', turns, servers());
      await rig.recorded(id, 'ToolCallStarted');
      expect((await rig.view(id)).unavailableServers).toMatchObject([{ server: 'remote' }]);
      expect(await rig.baton('status', id)).toContain('remote cannot be reached');
      expect(await rig.baton('replay', id)).toContain('remote');

      await remote.start();
      await segmentKilled(id);
      await rig.recorded(id, 'ToolsDiscovered', ({ discovery }) => {
        const { server, state } = discovery as { readonly server: string; readonly state: string };
        return server === 'remote' && state === 'ready';
      });
      await rig.openGate(id);
      const fallen = await rig.recorded(id, 'ToolCallCompleted', ({ callId }) => callId === '2-1');
      expect(fallen.data).toMatchObject({ outcome: 'error' });
      expect(JSON.stringify(fallen.data['content'])).toContain('The MCP server local did not answer');
      // Its fall makes the segment look at all servers; the next look is half a minute away then.
      await rig.recorded(id, 'ToolsDiscovered', ({ discovery }) => {
        const { server } = discovery as { readonly server: string };
        return server === 'local' && 'ended' in (discovery as object);
      });
      expect((await rig.view(id)).unavailableServers).toBeUndefined();
      await remote.kill();
      await remote.start();
      await rig.openGate(id, 'later');
      const events = await endedOnce(rig, id);
      expect(factsOf(events, 'ToolCallCompleted', 'outcome')).toEqual([
        '1-0 ok',
        '2-0 ok',
        '2-1 error',
        '3-0 ok',
        '4-0 ok',
        '4-1 ok',
      ]);
    },
    TEST_MS,
  );

  it(
    'with sessions in its memory is killed with a call and started again: the call is in doubt, the news told once',
    async () => {
      const file = join(folder, 'counted');
      sessions = await startHttpServer(0, 'sessions');
      const call = (tool: string): Turn => ({ calls: [{ tool: `far__${tool}`, input: { file, text: 'hello' } }] });
      const turns = [call('echo'), call('count-and-hang'), waitsFor('gate'), call('echo')];
      const far = { url: `http://127.0.0.1:${sessions.port}/mcp`, allowPrivate: true };
      const id = await started('mcp-sessions', turns, { mcp: { far } });
      await until(async () => (await readFile(file, 'utf8').catch(() => '')) !== '');
      await sessions.kill();
      sessions = await startHttpServer(sessions.port, 'sessions');
      await settled(id, '2-0', 'done');
      const news = await rig.recorded(id, 'ToolsDiscovered', ({ discovery }) => 'ended' in (discovery as object));
      expect(news.data['discovery']).toMatchObject({ server: 'far', state: 'ready', hasSessions: true });
      await until(async () => (await rig.view(id)).unavailableServers === undefined);
      await rig.openGate(id);
      const events = await endedOnce(rig, id);
      expect(events.at(-1)?.type).toBe('RunCompleted');
      const states = events
        .filter(({ type }) => type === 'ToolsDiscovered')
        .map(({ data }) => (data['discovery'] as { readonly state: string }).state)
        .join(' ');
      expect(['ready ready', 'ready unavailable ready']).toContain(states);
      expect(factsOf(events, 'ToolCallCompleted', 'outcome')).toEqual(['1-0 ok', '3-0 ok', '4-0 ok']);
      expect(factsOf(events, 'ToolCallSettled', 'by')).toEqual(['2-0 person']);
      expect(await readFile(file, 'utf8')).toBe('counted\n');
      expect(await rig.baton('verify', id)).toContain('All 5 requests');
    },
    TEST_MS,
  );
});
