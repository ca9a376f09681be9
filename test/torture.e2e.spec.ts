import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { foundBy } from '../chaos/self-test.js';
import { TORTURE_TRIALS } from '../chaos/torture-trials.js';
import { TEST_MS } from './cluster-rig.js';

/*
 * `baton torture` from the build, on a cluster of its own: an agent with commands in its workspace and an HTTP tool that
 * nobody can ask whether a call took effect. The server keeps its own ledger of the keys that it was called with.
 */
/** Its commands are declared to be safe to run twice, and are not: each time there is one line more. */
const LIAR = {
  name: 'liar',
  model: { name: 'simulator' },
  instructions: 'Note it.',
  tools: ['bash', 'complete_item', 'fail_item'],
  effects: { bash: { effect: 'idempotent' } },
  simulate: {
    policy: 'script',
    turns: [
      { calls: [{ tool: 'bash', input: { command: 'echo a >> ledger; sleep 2' } }] },
      { calls: [{ tool: 'complete_item', input: { item_id: 'a', result: 'noted' } }] },
      { texts: ['It is noted.'] },
    ],
  },
};

let folder: string;
let server: Server;
const ledger: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-e2e-'));
  server = createServer((request, response) => {
    ledger.push(String(request.headers['idempotency-key']));
    setTimeout(() => response.end('refunded'), 20);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const order = { type: 'object', properties: { order: { type: 'string' } }, required: ['order'] };
  // Wherever it is cut off, the second time changes nothing.
  const command = 'sleep 0.2; grep -sqx a ledger || echo a >> ledger; sleep 0.2';
  const agent = {
    name: 'payer',
    model: { name: 'simulator' },
    instructions: 'Pay back.',
    tools: ['bash', 'complete_item', 'fail_item'],
    http: [
      {
        name: 'refund',
        description: 'Pays an order back.',
        method: 'POST',
        url: `http://127.0.0.1:${port}/refunds`,
        input: order,
        allowPrivate: true,
      },
    ],
    effects: { bash: { effect: 'idempotent' } },
    simulate: {
      policy: 'script',
      turns: [
        { calls: [{ tool: 'bash', input: { command } }] },
        { calls: [{ tool: 'refund', input: { order: 'a' } }] },
        { calls: [{ tool: 'complete_item', input: { item_id: 'a', result: 'refunded' } }] },
        { texts: ['All is paid back.'] },
      ],
    },
  };
  await writeFile(join(folder, 'agent.json'), JSON.stringify(agent));
  await writeFile(join(folder, 'liar.json'), JSON.stringify(LIAR));
  await writeFile(join(folder, 'items.json'), '["a"]');
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

type Told = Readonly<Record<string, unknown>>;

/** The report, also of an agent that does not pass. */
async function torture(agentFile: string, ...words: readonly string[]): Promise<Told & { readonly passed: boolean }> {
  const agent = ['torture', join(folder, agentFile), '--items', join(folder, 'items.json')];
  const reports = ['--json', '--junit', join(folder, 'junit.xml'), '--badge', join(folder, 'badge.svg')];
  // What is kept of an agent that does not pass goes with the test.
  const env = { ...process.env, TMPDIR: folder };
  const program = promisify(execFile)(process.execPath, ['bin/baton.mjs', ...agent, ...reports, ...words], { env });
  const failed = (error: Error & { readonly stdout: string }) => {
    if (error.stdout === '') throw error;
    return { stdout: error.stdout, passed: false };
  };
  const { stdout, passed } = await program.then((end) => ({ ...end, passed: true }), failed);
  return { ...(JSON.parse(stdout) as Told), passed };
}

describe('baton torture', () => {
  it(
    'finds nothing lost and nothing doubled, and names the tool of which nobody can know',
    async () => {
      const report = await torture('agent.json', '--points', '10', '--seed', '1');
      expect(report).toMatchObject({ agent: 'payer', points: 10, seed: 1, lost: 0, doubled: 0, changed: 0 });
      expect(report['unsafe']).toMatchObject([
        { tool: 'refund', settledBy: 'person', point: 'workspace-killed-in-call:2' },
      ]);
      expect(new Set(ledger).size).toBe(ledger.length);
      // The appends of a run are not always as many: the moment of its last ones may not come.
      const skipped = 1 + Number(report['missed']);
      expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toMatch(
        new RegExp(`<testsuite [^>]*tests="11" failures="0" errors="0" time="[0-9.]+" skipped="${skipped}">`),
      );
      const badge = `10 of ${String(report['available'])} points, 0 lost, 0 doubled, 1 unsafe`;
      expect(await readFile(join(folder, 'badge.svg'), 'utf8')).toContain(badge);
    },
    TEST_MS,
  );

  it(
    'finds the tool that is declared idempotent and is not, and says how to see it again',
    async () => {
      // With this seed the power goes when the line is there and the command is not over.
      const report = await torture('liar.json', '--seed', '12', '--point', 'power-cut-in-call:1');
      expect(report).toMatchObject({ passed: false, points: 1, lost: 0, doubled: 1 });
      expect(JSON.stringify(report)).toContain('--seed 12 --point power-cut-in-call:1');
      expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toContain('failures="1"');
    },
    TEST_MS,
  );

  it(
    'plays a point again and again with other seeds for so many minutes',
    async () => {
      const report = await torture('liar.json', '--seed', '1', '--point', 'doorbell-doubled:2', '--minutes', '0.2');
      expect(report).toMatchObject({ passed: true, seed: 1, lost: 0, doubled: 0, changed: 0 });
      const seeds = (report['cases'] as readonly { readonly seed: number }[]).map(({ seed }) => seed);
      expect(seeds).toEqual(seeds.map((_, round) => 1 + round));
    },
    TEST_MS,
  );

  it(
    'finds a bug of the product: what a power cut has ended counts as done',
    async () => {
      const trial = TORTURE_TRIALS.find(({ reveals }) => reveals === 'lost');
      expect(trial && (await foundBy(trial))).toBeGreaterThan(0);
    },
    TEST_MS,
  );
});
