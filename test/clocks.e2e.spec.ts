import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '#testing';
import { ClusterRig, completedExactly, TEST_MS } from './cluster-rig.js';

/* A real cluster whose wall clocks jump by hours in the middle of a run: one service's alone, and all at once. */
const HOURS_3 = 3 * 3_600_000;
const JUMPS: readonly Readonly<Record<string, number>>[] = [
  { '/sweeper/': HOURS_3 },
  { '/sweeper/': -HOURS_3 },
  { '/segment-runner/src/child/': HOURS_3 },
  { '/segment-runner/src/child/': -HOURS_3, '/coordinator/': HOURS_3 },
  { '/dist/': HOURS_3 },
  { '/dist/': -HOURS_3 },
  {},
];
/** Longer than silence may last. */
const BETWEEN_MS = 6_000;

let rig: ClusterRig;
let folder: string;
const clocks = (): string => join(folder, 'clocks.json');

async function jump(offsets: Readonly<Record<string, number>>): Promise<void> {
  await writeFile(`${clocks()}.new`, JSON.stringify(offsets));
  await rename(`${clocks()}.new`, clocks());
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-clocks-'));
  await jump({});
  const preload = pathToFileURL('test/clock-jump.mjs');
  preload.searchParams.set('file', clocks());
  process.env['NODE_OPTIONS'] = `--import=${preload.href}`;
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(async () => {
  await rig.remove();
  await rm(folder, { recursive: true, force: true });
}, TEST_MS);

const post = async (path: string, body: object): Promise<unknown> =>
  (await rig.ask(path, { method: 'POST', body: JSON.stringify(body) })).json();

/** A run that waits for a person's agreement. */
async function asking(): Promise<string> {
  const simulate = { policy: 'script', turns: [{ calls: [{ tool: 'bash', input: { command: 'true' } }] }] };
  const about = { model: { name: 'simulator' }, instructions: 'Ask.', tools: ['bash'], approvals: { bash: 'always' } };
  await post('/v1/agents', { spec: { name: 'asker', ...about, simulate } });
  return ((await post('/v1/runs', { agent: 'asker', input: 'Ask.' })) as { readonly id: string }).id;
}

describe('a cluster whose clocks jump', () => {
  it(
    'by hours, forward and back, takes nobody for dead, lets no question expire and halts no run',
    async () => {
      const command = 'sleep 1; echo {id} >> ledger; echo {id}';
      const [asker, worker] = [await asking(), await rig.run({ command, caps: { segmentSeconds: 600 } }, 30)];
      const statusOf = async (id: string): Promise<unknown> =>
        ((await (await rig.ask(`/v1/runs/${id}`)).json()) as { readonly status: string }).status;
      await until(async () => (await statusOf(asker)) === 'waiting', TEST_MS);
      await until(async () => (await rig.notes(worker, 'ledger')).length > 0, TEST_MS);
      for (const offsets of JUMPS) {
        await jump(offsets);
        const since = performance.now();
        await until(() => performance.now() - since > BETWEEN_MS);
        const done = (await rig.notes(worker, 'ledger')).length;
        await until(async () => (await rig.notes(worker, 'ledger')).length > done || done === 30, TEST_MS);
      }
      const events = await completedExactly(rig, worker, 30);
      expect(events.filter(({ type }) => type === 'SegmentStarted')).toHaveLength(1);
      expect(events.map(({ type }) => type)).not.toContain('ToolCallInDoubt');
      // The jump is seen: what is recorded is not in the order of its moments.
      const moments = events.map(({ data }) => Date.parse(String(data['at'])));
      expect(Math.max(...moments) - Math.min(...moments)).toBeGreaterThan(HOURS_3);
      expect(await statusOf(asker)).toBe('waiting');
    },
    TEST_MS,
  );
});
