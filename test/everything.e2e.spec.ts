import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EventView, type Recorded, RunEvent, RunId, type RunView } from '#contracts';
import { type History, replay, statusOf } from '#domain';
import { until } from '#testing';
import { ClusterRig, kill, TEST_MS } from './cluster-rig.js';

/*
 * All at once: an agent that gives its tools broken input, loses its MCP server, waits for a person, goes round and round
 * until its caps halt it, is killed with its runner and its manager, waits for its person through a deployment of the whole
 * cluster, and compacts its context ten times, ends with the right result, an exact ledger, and a status that was true
 * whenever somebody looked.
 */
let rig: ClusterRig;
let folder: string;
beforeAll(async () => {
  rig = await ClusterRig.start();
  folder = await mkdtemp(join(tmpdir(), 'baton-everything-'));
}, TEST_MS);
afterAll(async () => {
  await rig.remove();
  await rm(folder, { recursive: true, force: true });
}, TEST_MS);

/** How often it goes round. */
const ROUNDS = 44;
/** Fills the context: what the model has written itself is never dropped from it. */
const LONG = 'x'.repeat(4_000);
const NOTES = ['first', 'gated', 'paid', ...Array.from({ length: ROUNDS }, (_, round) => `round ${round + 1}`)];

const bash = (command: unknown): object => ({ tool: 'bash', input: { command } });
const noted = (word: string): string => `echo '${word}' >> ledger`;
const turns = [
  [bash(7), { tool: 'no_such_tool' }, { tool: 'read_file' }],
  [bash(noted('first'))],
  [{ tool: 'local__fall' }],
  [{ tool: 'local__look' }, bash(`${noted('gated')}; until [ -e gate ]; do sleep 0.05; done`)],
  [bash(`${noted('paid')} # pay`)],
  ...Array.from({ length: ROUNDS }, (_, round) => [bash(`${noted(`round ${round + 1}`)}; : ${LONG}`)]),
  [{ tool: 'complete_item', input: { item_id: 'a', result: 'It is exact.' } }],
].map((calls) => ({ calls }));

const spec = {
  name: 'everything',
  model: { name: 'simulator', contextTokens: 4_500, maxTokens: 1_500 },
  instructions: 'Do all of it.',
  tools: ['bash', 'read_file', 'complete_item'],
  mcp: { local: { command: ['node', 'ledger-mcp.mjs', 'stdio'] } },
  approvals: { bash: { when: { command: '# pay' } } },
  caps: { segmentSeconds: 120, reserveSeconds: 1, tokens: 40_000, steps: 25 },
  workspace: { files: 'files' },
  simulate: { policy: 'script', turns, windowTokens: 7_500 },
};

async function started(): Promise<RunId> {
  await mkdir(join(folder, 'files'), { recursive: true });
  await copyFile(new URL('ledger-mcp.mjs', import.meta.url), join(folder, 'files', 'ledger-mcp.mjs'));
  await writeFile(join(folder, 'agent.json'), JSON.stringify(spec));
  await writeFile(join(folder, 'items.json'), JSON.stringify([{ id: 'a', input: 'all' }]));
  const words = ['run', join(folder, 'agent.json'), '--items', join(folder, 'items.json'), '--json'];
  return RunId.parse((JSON.parse(await rig.baton(...words)) as { readonly id: string }).id);
}

/** Looks at the run's status until it is told to stop. */
async function looks(id: RunId, over: AbortSignal): Promise<readonly RunView[]> {
  const seen: RunView[] = [];
  while (!over.aborted) {
    const view = await rig.view(id).catch(() => undefined);
    if (view) seen.push(view);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return seen;
}

const recordedOf = ({ revision, type, data, metadata }: EventView): Recorded<RunEvent> => ({
  id: `${revision}`,
  revision,
  event: RunEvent.parse({ type, data }),
  metadata,
});

/** The views that do not say what the log held at their revision. */
function untrue(views: readonly RunView[], events: readonly EventView[]): readonly unknown[] {
  const histories: History[] = [];
  for (const event of events) histories.push(replay(histories.at(-1), recordedOf(event)));
  return views.filter((view) => {
    const run = histories[view.asOf.revision]?.run;
    if (!run) return true;
    const away = Object.values(run.servers).filter(({ discovery }) => discovery.state === 'unavailable');
    const told = [view.status, view.items.done, (view.unavailableServers ?? []).length, view.waitsFor?.length ?? 0];
    const held = [statusOf(run), run.settled.done, away.length, run.openCalls.filter(isAsked).length];
    return JSON.stringify(told) !== JSON.stringify(held);
  });
}
const isAsked = ({ question }: History['run']['openCalls'][number]): boolean => question?.state === 'pending';

async function managerKilled(): Promise<void> {
  const manager = await rig.pidOf('workspace-manager');
  kill(manager);
  await until(async () => (await rig.pidOf('workspace-manager')) !== manager);
}

/** Caps that have halted the run are raised until it goes on to its end. */
async function raised(id: RunId, cap: string, to: number): Promise<void> {
  await rig.recorded(id, 'RunHalted', (data) => data['cap'] === cap);
  expect(await rig.baton('status', id)).toContain(`(caps.${cap})`);
  await rig.baton('raise', id, `${cap}=${to}`);
}

it(
  'everything at once ends with the right result, an exact ledger and a true status',
  async () => {
    const id = await started();
    const over = new AbortController();
    const looking = looks(id, over.signal);

    // In the middle of a command whose gate is shut: its segment is killed, then its manager.
    await until(async () => (await rig.notes(id, 'ledger')).includes('gated'));
    await rig.recorded(id, 'ToolCallCompleted', ({ callId }) => callId === '4-0');
    kill(await rig.childOf(id));
    await rig.recorded(id, 'SegmentEnded', ({ reason }) => reason === 'crashed');
    await managerKilled();
    await rig.openGate(id);

    const asked = await rig.recorded(id, 'ApprovalRequested');
    await rig.recorded(id, 'SegmentEnded', ({ reason }) => reason === 'waiting');
    expect((await rig.notes(id, 'ledger')).at(-1)).toBe('gated');
    await rig.down();
    await rig.up();
    expect(await rig.baton('status', id)).toContain('Waits for a person');
    const digest = String(asked.data['inputDigest']).slice(0, 8);
    await rig.baton('approve', id, '5-0', '--digest', digest);

    await raised(id, 'tokens', 10_000_000);
    await raised(id, 'steps', 500);
    await rig.recorded(id, 'ModelTurnCompleted', ({ turn }) => turn === 28);
    kill(await rig.childOf(id));
    await rig.recorded(id, 'ModelTurnCompleted', ({ turn }) => turn === 33);
    kill(await rig.pidOf('segment-runner'));

    const { data } = await rig.recorded(id, 'RunCompleted');
    over.abort();
    expect(data).toMatchObject({ items: { total: 1, done: 1, failed: 0 } });
    const events = await rig.events(id);
    expect(events.at(-1)?.type).toBe('RunCompleted');
    expect(await rig.notes(id, 'ledger')).toEqual(NOTES);
    const count = (type: string): number => events.filter((event) => event.type === type).length;
    expect(count('ContextCompacted')).toBeGreaterThanOrEqual(10);
    expect(events.filter(({ data }) => data['outcome'] === 'rejected')).toHaveLength(3);
    expect(JSON.stringify(events.filter(({ type }) => type === 'ToolsDiscovered'))).toContain('Connection closed');
    expect(count('ToolCallInDoubt')).toBe(0);
    expect(await rig.baton('effects', id)).toContain(`${ROUNDS + 5} executed, 0 repeated, 0 in doubt, 3 not started`);
    expect(await rig.baton('verify', id)).toContain('All ');
    expect(untrue(await looking, events)).toEqual([]);
  },
  TEST_MS,
);
