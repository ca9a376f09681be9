import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BLOCKABLE,
  blockLoop,
  type EmbeddedEventStore,
  startEventStore,
  startNats,
  type TestNats,
  until,
} from '#testing';

/* The services from the build, each with its loop blocked or standing still. */
const HUNG_MS = 3_000;
const TEST_MS = 120_000;

let nats: TestNats;
let store: EmbeddedEventStore;
let folder: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  [nats, store] = await Promise.all([startNats(), startEventStore()]);
  folder = await mkdtemp(join(tmpdir(), 'baton-loop-'));
}, TEST_MS);

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await Promise.all([nats.stop(), store.stop()]);
  await rm(folder, { recursive: true, force: true });
});

async function serve(service: string): Promise<{ child: ChildProcess; port: number | undefined; said: () => string }> {
  const env = {
    ...process.env,
    ...BLOCKABLE,
    BATON_HUNG_MS: String(HUNG_MS),
    BATON_BUS_URL: nats.url,
    BATON_LOG_URL: store.connectionString,
    BATON_DATA: join(folder, service),
    BATON_PORT: '0',
    BATON_HEALTH_PORT: '0',
    BATON_API_KEY: 'only-for-this-test',
    BATON_ALLOW_UNSANDBOXED: '1',
    BATON_POOL_SIZE: '1',
    BATON_LOG_LEVEL: 'error',
  };
  const child = fork(`dist/apps/${service}/src/main.js`, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  started.push(child);
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  let port: number | undefined;
  const ready = new Promise<void>((resolve) => {
    child.on('message', (message: { readonly type: string; readonly port?: number }) => {
      if (message.type !== 'ready') return;
      port = message.port;
      resolve();
    });
  });
  await Promise.race([ready, once(child, 'exit').then(() => Promise.reject(new Error(`${service} ended: ${said}`)))]);
  return { child, port, said: () => said };
}

describe('a service whose loop is blocked', () => {
  it.each([
    'event-store',
    'coordinator',
    'sweeper',
    'gateway',
    'workspace-manager',
    'segment-runner',
    'model-simulator',
  ])(
    'ends itself and says why: the %s',
    async (service) => {
      const { child, said } = await serve(service);
      const exit = once(child, 'exit');
      await blockLoop(child.stderr ?? process.stdin, Number(child.pid));
      expect(await exit).toEqual([null, 'SIGKILL']);
      await until(() => said().includes('"the loop of this process has not turned for 3 s: it ends itself"'));
      expect(said()).toContain(`"service":"${service}"`);
    },
    TEST_MS,
  );
});

describe('a service that stands still', () => {
  it(
    'for longer than that goes on unharmed when it is woken',
    async () => {
      const { child, port, said } = await serve('event-store');
      child.kill('SIGSTOP');
      const since = performance.now();
      await until(() => performance.now() - since > 2 * HUNG_MS);
      child.kill('SIGCONT');
      const woken = performance.now();
      await until(() => performance.now() - woken > 2 * HUNG_MS);
      expect((await fetch(`http://127.0.0.1:${port}/health/live`)).ok).toBe(true);
      expect([child.exitCode, child.signalCode, said()]).toEqual([null, null, '']);
    },
    TEST_MS,
  );
});
