import { readFile } from 'node:fs/promises';
import { type BlobRef, CallId, RunView } from '#contracts';
import { sha256 } from '#platform';
import { until } from '#testing';
import { ClusterRig, endedOnce, TEST_MS } from './cluster-rig.js';

/*
 * Law 11 for output: a command prints far more than anybody keeps. It costs the run the room that docs/workspaces.md
 * names, and nobody any memory.
 */
const FLOOD_BYTES = 400_000_000;
const KEPT_BYTES = 8 * 1024 * 1024;
/** What taking in the part that is kept may cost a process: a few copies of it. */
const MEMORY_BYTES = 160_000_000;
const SHOWN_BYTES = 5_000;
const LINE = `${'x'.repeat(99)}\n`;

let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

/** The most memory that a process ever had, in bytes. */
async function peakOf(pid: number): Promise<number> {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}

describe('a command that floods its output', () => {
  it(
    'shows the model head and tail, leaves the kept part in a blob and the memory of all as it was, and the run goes on',
    async () => {
      const flood = `echo begin; yes ${LINE.trim()} | head -c ${FLOOD_BYTES}; echo end > ended`;
      const bash = (command: string) => ({ calls: [{ tool: 'bash', input: { command } }] });
      const turns = [bash('until [ -e gate ]; do sleep 0.05; done'), bash(flood), bash('cat ended')];
      const spec = {
        name: 'flooding',
        model: { name: 'simulator' },
        instructions: 'Flood.',
        tools: ['bash'],
        caps: { outputBytes: SHOWN_BYTES },
        simulate: { policy: 'script', turns },
      };
      const post = async (path: string, body: object): Promise<unknown> =>
        (await rig.ask(path, { method: 'POST', body: JSON.stringify(body) })).json();
      await post('/v1/agents', { spec });
      const { id } = RunView.parse(await post('/v1/runs', { agent: spec.name }));
      await rig.recorded(id, 'ToolCallStarted');
      const pids = [await rig.childOf(id), await rig.pidOf('workspace-manager'), await rig.pidOf('event-store')];
      const before = await Promise.all(pids.map(peakOf));
      await until(() => rig.openGate(id).then(() => true));
      const flooded = await rig.recorded(id, 'ToolCallCompleted', ({ callId }) => callId === CallId.parse('2-0'));
      const grown = (await Promise.all(pids.map(peakOf))).map((peak, place) => peak - (before[place] ?? 0));
      expect(grown.filter((bytes) => bytes > MEMORY_BYTES)).toEqual([]);

      const { outcome, content, whole } = flooded.data as {
        outcome: string;
        content: [{ text: string }];
        whole: BlobRef;
      };
      expect(outcome).toBe('ok');
      const [{ text }] = content;
      expect(text).toMatch(/^begin\nx+\n/);
      expect(text).toMatch(new RegExp(`x+\\n\\[… \\d+ of ${KEPT_BYTES} bytes left out …\\]\\n`));
      expect(text).toMatch(/\n\[output longer than 8388608 bytes: the rest is lost\]$/);
      expect(Buffer.byteLength(text)).toBeLessThan(SHOWN_BYTES + 200);
      expect(whole.bytes).toBe(KEPT_BYTES);
      const kept = `begin\n${LINE.repeat(KEPT_BYTES / LINE.length + 1)}`.slice(0, KEPT_BYTES);
      expect(whole.digest).toBe(sha256(kept));
      expect(await rig.baton('blob', id, whole.digest)).toBe(kept);

      const events = await endedOnce(rig, id);
      expect(events.at(-1)?.type).toBe('RunCompleted');
      const last = events.findLast(({ type }) => type === 'ToolCallCompleted');
      expect(last?.data).toMatchObject({ callId: '3-0', outcome: 'ok', content: [{ text: 'end\n' }] });
      expect(await rig.baton('verify', id)).toContain('All 4 requests');
    },
    TEST_MS,
  );
});
