import type { EventView, RunId } from '#contracts';
import { until } from '#testing';
import { ClusterRig, completedExactly, endedOnce, freeze, GATED, STEADY, TEST_MS, thaw } from './cluster-rig.js';

/** Law 9: whenever the wish to cancel comes, the run ends once, and whoever wished it is told the truth. */
let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

const LONG_MS = 300_000;

async function cancelled(id: RunId): Promise<readonly EventView[]> {
  expect((await rig.cancel(id)).status).toBe(202);
  const events = await endedOnce(rig, id);
  expect(events.at(-1)?.type).toBe('RunCancelled');
  return events;
}

describe('a cancelled run', () => {
  it(
    'ends while the model is being asked, without its answer',
    async () => {
      const id = await rig.run({ command: 'true', thinkMs: LONG_MS }, 1);
      await until(async () => (await rig.view(id)).activity?.kind === 'model');
      const events = await cancelled(id);
      expect(events.findLast(({ type }) => type === 'SegmentEnded')?.data).toMatchObject({ reason: 'cancelled' });
      expect(events.at(-1)?.data).toMatchObject({ effects: { executed: 0, inDoubt: 0 } });
      expect(events.some(({ type }) => type.startsWith('ModelTurn'))).toBe(false);
    },
    TEST_MS,
  );

  it(
    'ends while a command runs, which is stopped and recorded as cancelled',
    async () => {
      const id = await rig.run({ command: GATED }, 1);
      await until(async () => (await rig.notes(id, 'begun')).length === 1);
      const events = await cancelled(id);
      expect(events.find(({ type }) => type === 'ToolCallCompleted')?.data).toMatchObject({ outcome: 'cancelled' });
      expect(events.at(-1)?.data).toMatchObject({ effects: { executed: 1, inDoubt: 0 } });
      await rig.openGate(id);
      const after = await rig.run({ command: STEADY }, 1);
      await completedExactly(rig, after, 1);
      expect(await rig.notes(id, 'ledger')).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'ends between two segments although no runner is there, and no runner begins it any more',
    async () => {
      const runner = await rig.pidOf('segment-runner');
      const id = await rig.run({ command: STEADY, caps: { segmentSeconds: 2.5, reserveSeconds: 1 } }, 50);
      await rig.recorded(id, 'SegmentStarted');
      freeze(runner);
      let events: readonly EventView[];
      try {
        await rig.recorded(id, 'SegmentScheduled', ({ segment }) => segment === 2);
        events = await cancelled(id);
      } finally {
        thaw(runner);
      }
      // The runner has taken all that it was told of once it has worked on what came later.
      const after = await rig.run({ command: STEADY }, 1);
      await completedExactly(rig, after, 1);
      expect(await rig.events(id)).toEqual(events);
    },
    TEST_MS,
  );

  it(
    'ends once when the wish races its completion, and the answer agrees with the log',
    async () => {
      const moments = Array.from({ length: 16 }, (_, place) => 6 + (place % 8));
      await Promise.all(moments.map((moment) => race(moment)));
    },
    TEST_MS,
  );
});

/** Cancels a short run when it has recorded so much; compares what was answered with what the log says. */
async function race(moment: number): Promise<void> {
  const id = await rig.run({ command: 'echo {id} >> ledger' }, 1);
  await until(async () => (await rig.events(id)).length > moment || (await rig.view(id)).endedAt !== undefined);
  const response = await rig.cancel(id);
  const answer = (await response.json()) as { readonly revision?: number; readonly code?: string };
  const events = await endedOnce(rig, id);
  const place = (type: string): number => events.findLastIndex((event) => event.type === type);
  if (response.status === 409) {
    expect(answer.code).toBe('run-ended');
    expect(place('CancelRequested')).toBe(-1);
    expect(events.at(-1)?.type).toBe('RunCompleted');
  } else {
    expect(response.status).toBe(202);
    expect(answer.revision).toBe(place('CancelRequested'));
    const wasFirst = place('CancelRequested') < place('SegmentEnded') || place('SegmentEnded') < 0;
    expect(events.at(-1)?.type).toBe(wasFirst ? 'RunCancelled' : 'RunCompleted');
  }
}
