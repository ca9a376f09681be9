import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EventPage, type EventView, type RunId, RunView, TERMINAL_EVENTS } from '#contracts';
import { freePort, until } from '#testing';
import { readRecord } from '../apps/cli/src/cluster/cluster-record.js';
import { askProcesses } from '../apps/cli/src/cluster/control.js';
import { DataFolder } from '../apps/cli/src/cluster/data-folder.js';
import type { ListedProcess } from '../apps/cli/src/cluster/listed-process.js';

const run = promisify(execFile);
const ANSWER_MS = 10_000;
/** Waits are for facts; the limit only says when a machine is too slow or the fact will never come. */
const LIMIT_MS = 180_000;
const ENDS: readonly string[] = TERMINAL_EVENTS;

export interface Work {
  /** The `bash` command for each item. */
  readonly command: string;
  readonly thinkMs?: number;
  readonly caps?: Readonly<Record<string, number>>;
}

/**
 * Notes in `begun` that it begins and in `ledger` that it ends, and waits for the file `gate` in between: the test says
 * how long it takes, and both files tell how often it was really carried out.
 */
export const GATED = 'echo {id} >> begun; until [ -e gate ]; do sleep 0.05; done; echo {id} >> ledger; echo {id}';
/** Work of about a third of a second, noted in `ledger`. */
export const STEADY = 'sleep 0.3; echo {id} >> ledger; echo {id}';

export const items = (count: number): readonly { readonly id: string; readonly input: string }[] =>
  Array.from({ length: count }, (_, place) => ({ id: `item-${place + 1}`, input: `input ${place + 1}` }));
export const idsOf = (count: number): readonly string[] => items(count).map(({ id }) => id);

/** A real cluster from the build, in a folder of its own, for tests that kill its processes. */
export class ClusterRig {
  private agents = 0;
  private constructor(
    private readonly folder: string,
    readonly port: string,
  ) {}

  static async start(): Promise<ClusterRig> {
    const rig = await ClusterRig.prepare();
    await rig.up();
    return rig;
  }

  /** A folder and a port, and nothing started yet. */
  static async prepare(): Promise<ClusterRig> {
    return new ClusterRig(await mkdtemp(join(tmpdir(), 'baton-e2e-')), String(await freePort()));
  }

  async up(): Promise<void> {
    await this.baton('up', '--detach', '--port', this.port);
  }

  async down(): Promise<void> {
    await this.baton('down');
  }

  async remove(): Promise<void> {
    await this.down();
    await rm(this.folder, { recursive: true, force: true });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  /** Runs the command `baton` on this cluster and answers with what it printed. */
  async baton(...words: readonly string[]): Promise<string> {
    const env = { ...process.env, BATON_DATA: this.data };
    return (await run(process.execPath, ['bin/baton.mjs', ...words], { env, maxBuffer: 64e6 })).stdout;
  }

  key(): Promise<string> {
    return readFile(join(this.data, 'api-key'), 'utf8').then((key) => key.trim());
  }

  /** Asks the gateway, with the key. */
  readonly ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${await this.key()}`);
    headers.set('content-type', 'application/json');
    return fetch(`${this.url}${path}`, { ...init, headers });
  };

  /** Starts a run of a new agent whose model works through `count` items. */
  async run(work: Work, count: number): Promise<RunId> {
    const { command, thinkMs = 0, caps = {} } = work;
    this.agents += 1;
    const spec = {
      name: `worker-${this.agents}`,
      model: { name: 'simulator' },
      instructions: 'Work through the items.',
      tools: ['bash', 'complete_item', 'fail_item'],
      caps: { segmentSeconds: 60, reserveSeconds: 1, ...caps },
      simulate: { policy: 'items', command, thinkMs },
    };
    await this.answered('/v1/agents', { spec });
    return RunView.parse(await this.answered('/v1/runs', { agent: spec.name, items: items(count) })).id;
  }

  cancel(id: RunId): Promise<Response> {
    return this.ask(`/v1/runs/${id}/cancel`, { method: 'POST', body: '{}' });
  }

  async view(id: RunId): Promise<RunView> {
    return RunView.parse(await this.answered(`/v1/runs/${id}`));
  }

  /** The whole log of a run. */
  async events(id: RunId): Promise<readonly EventView[]> {
    const events: EventView[] = [];
    for (;;) {
      const page = EventPage.parse(await this.answered(`/v1/runs/${id}/events?limit=1000&from=${events.length}`));
      events.push(...page.events);
      if (page.end) return events;
    }
  }

  /** Waits until the log has such an event, and answers with it. */
  recorded(id: RunId, type: string, which: (data: EventView['data']) => boolean = () => true): Promise<EventView> {
    return until(
      async () => (await this.events(id)).find((event) => event.type === type && which(event.data)),
      LIMIT_MS,
    );
  }

  /** The lines of a file of the run's workspace; none when there is no such file. */
  async notes(id: RunId, file: string): Promise<readonly string[]> {
    const text = await readFile(join(await this.files(id), file), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  /** Lets the `GATED` commands of a run end, or whatever else waits for a file. */
  async openGate(id: RunId, gate = 'gate'): Promise<void> {
    await writeFile(join(await this.files(id), gate), '');
  }

  /** What `baton ps` shows; asked directly, since a test asks often. */
  async processes(): Promise<readonly ListedProcess[]> {
    const record = readRecord(new DataFolder(this.data));
    if (!record) throw new Error('No cluster runs.');
    return askProcesses(record);
  }

  /** The process of a service that is up. */
  pidOf(name: string): Promise<number> {
    return until(async () => {
      const listed = (await this.processes()).find((one) => one.name === name && one.state === 'running');
      return listed?.pid;
    }, LIMIT_MS);
  }

  /** The child that works on a run's newest segment. */
  async childOf(id: RunId): Promise<number> {
    const started = (await this.events(id)).findLast(({ type }) => type === 'SegmentStarted');
    const runner = started?.data['runner'] as { readonly pid: number } | undefined;
    if (!runner) throw new Error(`No segment of ${id} has started.`);
    return runner.pid;
  }

  /** The environment that the cluster gives to a service, for one more of its kind. */
  async environment(name: string): Promise<NodeJS.ProcessEnv> {
    const ports = JSON.parse(await readFile(join(this.data, 'ports.json'), 'utf8')) as Record<string, number>;
    const folder = join(this.folder, name);
    await mkdir(folder, { recursive: true });
    return {
      ...process.env,
      BATON_LOG_URL: `esdb://127.0.0.1:${ports['event-store']}?tls=false`,
      BATON_BUS_URL: `nats://127.0.0.1:${ports['nats']}`,
      BATON_MODEL_URL: `http://127.0.0.1:${ports['model-simulator']}`,
      BATON_HEALTH_PORT: '0',
      BATON_DATA: folder,
    };
  }

  private async files(id: RunId): Promise<string> {
    const root = join(this.data, 'workspace-manager');
    const paths = await readdir(root, { recursive: true }).catch(() => []);
    return join(root, paths.find((path) => path.endsWith(join(id, 'files'))) ?? 'none');
  }

  private async answered(path: string, body?: unknown): Promise<unknown> {
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await this.ask(path, { ...sent, signal: AbortSignal.timeout(ANSWER_MS) });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  }
}

/** Waits for the run's end and answers with its log, in which it ends once. */
export async function endedOnce(rig: ClusterRig, id: RunId): Promise<readonly EventView[]> {
  await until(async () => (await rig.events(id)).some(({ type }) => ENDS.includes(type)), LIMIT_MS);
  const events = await rig.events(id);
  expect(events.filter(({ type }) => ENDS.includes(type))).toHaveLength(1);
  expect(events.map(({ revision }) => revision)).toEqual(events.map((_, place) => place));
  return events;
}

/** Waits for a completed run of `count` items, each worked on exactly once by what its commands have noted. */
export async function completedExactly(rig: ClusterRig, id: RunId, count: number): Promise<readonly EventView[]> {
  const events = await endedOnce(rig, id);
  expect(events.at(-1)).toMatchObject({ type: 'RunCompleted', data: { items: { total: count, done: count } } });
  expect((await rig.notes(id, 'ledger')).toSorted()).toEqual([...idsOf(count)].toSorted());
  for (const type of ['ToolCallStarted', 'ToolCallCompleted', 'ItemCompleted']) {
    const calls = events.filter((event) => event.type === type).map(({ data }) => data['callId']);
    expect([type, new Set(calls).size]).toEqual([type, calls.length]);
  }
  return events;
}

/** What a whole test of a cluster may take on a machine that is busy with other things. */
export const TEST_MS = 300_000;

/** Stands still (SIGSTOP) until it is woken (SIGCONT); its sockets stay open. */
export const freeze = (pid: number): boolean => process.kill(pid, 'SIGSTOP');
export const thaw = (pid: number): boolean => process.kill(pid, 'SIGCONT');
export const kill = (pid: number): boolean => process.kill(pid, 'SIGKILL');
