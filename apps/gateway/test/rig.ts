import { AgentName, type RunEvent, type RunEventOf, RunId, type RunView } from '#contracts';
import { createMemoryLog, type EventLog, Runs } from '#log';
import { createGateway, type Gateway } from '../src/create-gateway.js';
import type { Surroundings } from '../src/surroundings.js';

export const KEY = 'bk_a-key-for-tests-only';

export const spec = {
  name: AgentName.parse('profiler'),
  model: { name: 'simulator' },
  instructions: 'Profile each file.',
  caps: { segments: 20, items: 50 },
  simulate: { policy: 'items' },
};

export interface Rig {
  readonly log: EventLog;
  readonly gateway: Gateway;
  readonly url: string;
  /** Asks with the key. */
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>;
  readonly post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Response>;
  /** Applies the agent and starts a run of it. */
  readonly aRun: (body?: object) => Promise<RunId>;
  readonly record: <App extends 'segment-runner' | 'coordinator' | 'sweeper'>(
    app: App,
    run: RunId,
    ...events: readonly RunEventOf[App][]
  ) => Promise<void>;
}

export async function startRig(more: Partial<Surroundings> = {}): Promise<Rig> {
  const log = more.log ?? createMemoryLog(() => Date.now());
  const gateway = await createGateway({ log, apiKey: KEY, ...more });
  return { gateway, ...caller(log, `http://127.0.0.1:${gateway.port}`) };
}

/** Asks a gateway, wherever it runs; facts of other apps go straight into its log. */
export function caller(log: EventLog, url: string): Omit<Rig, 'gateway'> {
  const ask: Rig['ask'] = (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${KEY}`);
    return fetch(`${url}${path}`, { ...init, headers });
  };
  const post: Rig['post'] = (path, body, headers = {}) =>
    ask(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  const aRun: Rig['aRun'] = async (body = {}) => {
    await post('/v1/agents', { spec });
    const started = await post('/v1/runs', { agent: spec.name, ...body });
    return RunId.parse(((await started.json()) as RunView).id);
  };
  const record: Rig['record'] = async (app, run, ...events) => {
    const runs = new Runs(log, { app, id: 'test' });
    const newest = await log.last(`run-${run}`);
    await runs.append(run, events, newest?.revision ?? 'absent');
  };
  return { log, url, ask, post, aRun, record };
}

const at = '2026-11-23T10:00:00.000Z';

export const scheduled = (segment: number): RunEventOf['coordinator'] => ({
  type: 'SegmentScheduled',
  data: { at, segment, because: 'requested', restartsWithoutProgress: 0 },
});

export const started = (segment: number, startedAt = at): RunEventOf['segment-runner'] => ({
  type: 'SegmentStarted',
  data: {
    at: startedAt,
    segment,
    runner: { runnerId: 'runner-1', host: 'here', pid: 4_242 },
    deadline: '2026-11-23T10:05:00.000Z',
  },
});

export const itemStarted = (itemId: string): RunEventOf['segment-runner'] => ({
  type: 'ItemStarted',
  data: { at, segment: 1, itemId },
});

export const completed: RunEventOf['coordinator'] = {
  type: 'RunCompleted',
  data: { at, items: { total: 0, done: 0, failed: 0 }, result: 'All is well.' },
};

export const typesOf = (events: readonly { readonly type: string }[]): readonly RunEvent['type'][] =>
  events.map(({ type }) => type as RunEvent['type']);
