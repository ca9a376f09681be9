import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunId } from '#contracts';
import { ClusterRig, endedOnce, TEST_MS } from './cluster-rig.js';

/*
 * `baton torture` of an agent that a cluster knows by its name, with the turns of a run that it had there: it asks a person,
 * needs agreement to a call, and has an MCP server among its files.
 */
const GATE = 'mcp-gate-a';
const CLERK = {
  name: 'clerk',
  model: { name: 'simulator' },
  instructions: 'Enter it.',
  tools: ['bash', 'write_file', 'ask_human'],
  mcp: { books: { command: ['node', 'ledger-mcp.mjs', 'stdio'] } },
  approvals: { write_file: 'always' },
  workspace: { files: 'files' },
  simulate: {
    policy: 'script',
    turns: [
      { calls: [{ tool: 'ask_human', input: { question: 'Now?' } }] },
      { calls: [{ tool: 'write_file', input: { path: 'note', content: 'a' } }] },
      {
        calls: [
          { tool: 'books__enter', input: { entry: 'a' } },
          { tool: 'bash', input: { command: `sleep 1; touch ${GATE}` } },
        ],
      },
      { texts: ['It is entered.'] },
    ],
  },
};

let rig: ClusterRig;
let folder: string;
beforeAll(async () => {
  rig = await ClusterRig.start();
  folder = await mkdtemp(join(tmpdir(), 'baton-e2e-'));
  await mkdir(join(folder, 'files'));
  await copyFile(new URL('ledger-mcp.mjs', import.meta.url), join(folder, 'files', 'ledger-mcp.mjs'));
}, TEST_MS);
afterAll(async () => {
  await rig.remove();
  await rm(folder, { recursive: true, force: true });
}, TEST_MS);

async function agentFile(spec: object): Promise<string> {
  const file = join(folder, 'clerk.json');
  await writeFile(file, JSON.stringify(spec));
  return file;
}

/** A run in which a person has answered and agreed. */
async function recordedRun(): Promise<RunId> {
  const printed: unknown = JSON.parse(await rig.baton('run', await agentFile(CLERK), '--json'));
  const run = RunId.parse((printed as { readonly id: string }).id);
  await rig.recorded(run, 'ToolCallStarted', ({ tool }) => tool === 'ask_human');
  await rig.baton('answer', run, '1-0', 'Now.');
  const { data } = await rig.recorded(run, 'ApprovalRequested');
  await rig.baton('approve', run, '2-0', '--digest', String(data['inputDigest']).slice(0, 8));
  await endedOnce(rig, run);
  return run;
}

describe('baton torture of a recorded run', () => {
  it(
    'plays its turns with the named agent and its files, and agrees where it may',
    async () => {
      const run = await recordedRun();
      // The agent's own script is another one from now on.
      const idle = { policy: 'script', turns: [{ texts: ['I have nothing to do.'] }] };
      await rig.baton('agents', 'apply', await agentFile({ ...CLERK, simulate: idle }));

      const words = ['torture', 'clerk', '--recorded', 'latest', '--data', rig.data, '--seed', '1', '--json'];
      await expect(rig.baton(...words)).rejects.toThrow(/asks a person before write_file \(call 2-0\).*--approve/);

      const points = ['workspace-killed-in-call:2', 'child-killed-after:3'].flatMap((point) => ['--point', point]);
      const report: unknown = JSON.parse(await rig.baton(...words, '--approve', ...points));
      expect(report).toMatchObject({ agent: 'clerk', points: 2, missed: 0, lost: 0, doubled: 0, changed: 0 });
      const repeat = expect.stringContaining(`--recorded ${run} --approve`);
      expect(report).toMatchObject({ unsafe: [{ tool: 'books__enter', settledBy: 'person', repeat }] });
    },
    2 * TEST_MS,
  );
});
