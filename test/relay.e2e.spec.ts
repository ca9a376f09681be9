import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '#testing';

/*
 * The promise, on a real cluster with real kills: whichever process dies in the middle of a run, every item is worked on
 * exactly once. Counted by a ledger that the commands themselves write, not by what Baton says of itself.
 */
const run = promisify(execFile);
const ITEMS = Array.from({ length: 8 }, (_, place) => `item-${place + 1}`);

interface Listed {
  readonly name: string;
  readonly pid: number | null;
  readonly run?: string;
  readonly state: string;
}

interface Recorded {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

let folder = '';
const baton = async (...args: string[]): Promise<string> => {
  const env = { ...process.env, BATON_DATA: join(folder, 'data') };
  return (await run(process.execPath, ['bin/baton.mjs', ...args], { env, maxBuffer: 64e6 })).stdout;
};
const events = async (id: string): Promise<Recorded[]> =>
  (await baton('events', id))
    .trim()
    .split('\n')
    .map((line): Recorded => JSON.parse(line));
const status = async (id: string): Promise<string> => JSON.parse(await baton('status', id, '--json')).status;
const processes = async (): Promise<Listed[]> => JSON.parse(await baton('ps', '--json'));

async function started(): Promise<string> {
  const answer = JSON.parse(
    await baton('run', join(folder, 'agent.json'), '--items', join(folder, 'items.json'), '--json'),
  );
  return answer.id;
}

/** Waits until the second item's command runs, so that the kill falls into the middle of work. */
async function inWork(id: string): Promise<void> {
  await until(async () => (await events(id)).filter(({ type }) => type === 'ToolCallStarted').length >= 3, 30_000);
}

async function ledgerOf(id: string): Promise<string[]> {
  const root = join(folder, 'data', 'workspace-manager');
  const all = await readdir(root, { recursive: true });
  const ledger = all.find((path) => path.includes(id) && path.endsWith('ledger'));
  return ledger ? (await readFile(join(root, ledger), 'utf8')).trim().split('\n') : [];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a run on a real cluster', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'baton-relay-'));
    const agent = {
      name: 'ledger-keeper',
      model: { name: 'simulator' },
      instructions: 'Work through the items.',
      tools: ['bash', 'complete_item', 'fail_item'],
      caps: { segmentSeconds: 30, reserveSeconds: 2 },
      simulate: { policy: 'items', command: 'sleep 0.5; echo {input} >> ledger; echo {input}' },
    };
    await writeFile(join(folder, 'agent.json'), JSON.stringify(agent));
    await writeFile(join(folder, 'items.json'), JSON.stringify(ITEMS));
    await baton('up', '--detach', '--port', String(await freePort()));
  }, 120_000);

  afterAll(async () => {
    await baton('down');
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it.each([
    'segment',
    'segment-runner',
    'coordinator',
    'sweeper',
    'gateway',
    'workspace-manager',
    'event-store',
    'nats',
    'model-simulator',
  ])(
    'works on every item exactly once although its %s is killed',
    async (name) => {
      const id = await started();
      await inWork(id);
      const victim = (await processes()).find((one) => one.name === name && (name !== 'segment' || one.run === id));
      process.kill(Number(victim?.pid), 'SIGKILL');
      await until(async () => {
        const now = await status(id).catch(() => 'unknown');
        return ['completed', 'failed', 'halted', 'cancelled'].includes(now);
      }, 90_000);
      expect(await status(id)).toBe('completed');
      expect((await ledgerOf(id)).toSorted()).toEqual(ITEMS.toSorted());
      const ends = (await events(id)).filter(({ type }) => /^Run(Completed|Failed|Cancelled|Halted)$/.test(type));
      expect(ends).toHaveLength(1);
      await until(
        async () =>
          (await processes()).some(
            (one) => one.name === (name === 'segment' ? 'gateway' : name) && one.state === 'running',
          ),
        60_000,
      );
    },
    180_000,
  );

  it('stops a running command within seconds when the run is cancelled, and ends it once', async () => {
    const id = await started();
    await inWork(id);
    await baton('cancel', id);
    await until(async () => (await status(id)) === 'cancelled', 15_000);
    const all = await events(id);
    expect(all.at(-1)?.type).toBe('RunCancelled');
    expect(all.findLast(({ type }) => type === 'SegmentEnded')?.data['reason']).toBe('cancelled');
    const before = await ledgerOf(id);
    await baton('ps');
    expect(await ledgerOf(id)).toEqual(before);
  }, 60_000);

  it('answers with the same run when the same key is used twice', async () => {
    const order = ['run', 'ledger-keeper', '--input', 'x', '--idempotency-key', 'k1', '--json'];
    expect(JSON.parse(await baton(...order)).id).toBe(JSON.parse(await baton(...order)).id);
  }, 30_000);
});
