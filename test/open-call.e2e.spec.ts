import type { EventView, RunId } from '#contracts';
import { until } from '#testing';
import { ClusterRig, completedExactly, freeze, GATED, idsOf, kill, TEST_MS, thaw } from './cluster-rig.js';

/*
 * Law 5, with the segment's process killed between `ToolCallStarted` and `ToolCallCompleted`: the command is carried out
 * exactly once, whether it still runs, has ended meanwhile, or never reached the workspace. And with the manager killed
 * that carries it out: the segment hears of it.
 */
let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

/** A run whose first command has begun. */
async function inWork(): Promise<RunId> {
  const id = await rig.run({ command: GATED }, 2);
  await until(async () => (await rig.notes(id, 'begun')).length === 1);
  return id;
}

async function crashed(id: RunId): Promise<void> {
  kill(await rig.childOf(id));
  await rig.recorded(id, 'SegmentEnded', ({ segment, reason }) => segment === 1 && reason === 'crashed');
}

const secondStarted = (id: RunId): Promise<EventView> =>
  rig.recorded(id, 'SegmentStarted', ({ segment }) => segment === 2);

async function eachOnce(id: RunId): Promise<void> {
  const events = await completedExactly(rig, id, 2);
  expect(await rig.notes(id, 'begun')).toEqual(idsOf(2));
  const first = events.filter(({ type, data }) => type.startsWith('ToolCall') && data['callId'] === '1-0');
  expect(first).toMatchObject([
    { type: 'ToolCallStarted', data: { segment: 1 } },
    { type: 'ToolCallCompleted', data: { outcome: 'ok' } },
  ]);
  expect(first[1]?.data['segment']).toBeGreaterThan(1);
}

describe('a segment that is killed after it has started a call', () => {
  it(
    'leaves the running command to the next segment, which waits for it',
    async () => {
      const id = await inWork();
      await crashed(id);
      await secondStarted(id);
      await rig.openGate(id);
      await eachOnce(id);
    },
    TEST_MS,
  );

  it(
    'leaves the result of a command that ends meanwhile to the next segment, which collects it',
    async () => {
      const id = await inWork();
      const coordinator = await rig.pidOf('coordinator');
      freeze(coordinator);
      try {
        await crashed(id);
        await rig.openGate(id);
        await until(async () => (await rig.notes(id, 'ledger')).length === 1);
      } finally {
        thaw(coordinator);
      }
      await eachOnce(id);
    },
    TEST_MS,
  );

  it(
    'leaves a call that reaches the workspace late to the next segment, which runs it',
    async () => {
      const manager = await rig.pidOf('workspace-manager');
      freeze(manager);
      let id: RunId;
      try {
        id = await rig.run({ command: GATED }, 2);
        await rig.recorded(id, 'ToolCallStarted');
        await crashed(id);
        await secondStarted(id);
      } finally {
        thaw(manager);
      }
      await until(async () => (await rig.notes(id, 'begun')).length === 1);
      await rig.openGate(id);
      await eachOnce(id);
    },
    TEST_MS,
  );

  it(
    'leaves a call that never reaches the workspace to the next segment, which runs it',
    async () => {
      const manager = await rig.pidOf('workspace-manager');
      freeze(manager);
      const id = await rig.run({ command: GATED }, 2);
      await rig.recorded(id, 'ToolCallStarted');
      await crashed(id);
      kill(manager);
      await until(async () => (await rig.notes(id, 'begun')).length === 1);
      await rig.openGate(id);
      await eachOnce(id);
    },
    TEST_MS,
  );
});

/** Generous; a segment that waits for an answer which cannot come stands still for much longer. */
const SOON_MS = 8_000;

describe('a workspace-manager that is killed while it carries out a call', () => {
  it(
    'says when it is back, so that the segment has the result soon after the command has ended',
    async () => {
      const id = await inWork();
      const manager = await rig.pidOf('workspace-manager');
      kill(manager);
      await until(async () => (await rig.pidOf('workspace-manager')) !== manager);
      const endedAt = Date.now();
      await rig.openGate(id);
      const { data } = await rig.recorded(id, 'ToolCallCompleted');
      expect(data).toMatchObject({ callId: '1-0', outcome: 'ok', segment: 1 });
      expect(Date.parse(String(data['at'])) - endedAt).toBeLessThan(SOON_MS);
      await completedExactly(rig, id, 2);
      expect(await rig.notes(id, 'begun')).toEqual(idsOf(2));
    },
    TEST_MS,
  );
});
