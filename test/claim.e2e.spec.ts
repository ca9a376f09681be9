import type { RunId } from '#contracts';
import { until } from '#testing';
import type { ListedProcess } from '../apps/cli/src/cluster/listed-process.js';
import { ClusterRig, completedExactly, freeze, kill, STEADY, TEST_MS, thaw } from './cluster-rig.js';

/*
 * Whoever dies between taking the work message and recording `SegmentStarted` has claimed nothing: the segment is begun by
 * another one, once.
 */
let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

/** The child that holds the order for a segment and cannot record its start, since the event store stands still. */
async function claiming(store: number): Promise<{ readonly id: RunId; readonly child: ListedProcess }> {
  const runner = await rig.pidOf('segment-runner');
  freeze(runner);
  let id: RunId;
  try {
    id = await rig.run({ command: STEADY }, 2);
    await rig.recorded(id, 'SegmentScheduled');
    freeze(store);
  } finally {
    thaw(runner);
  }
  const child = await until(async () => (await rig.processes()).find(({ run }) => run === id));
  return { id, child };
}

async function begunOnce(id: RunId): Promise<void> {
  const events = await completedExactly(rig, id, 2);
  expect(events.filter(({ type }) => type === 'SegmentScheduled')).toHaveLength(1);
  expect(events.filter(({ type }) => type === 'SegmentStarted')).toHaveLength(1);
}

describe('a segment that was taken and not begun', () => {
  it(
    'is begun by another child when the one that had it is killed',
    async () => {
      const store = await rig.pidOf('event-store');
      const { id, child } = await claiming(store);
      expect(child).toMatchObject({ name: 'segment', state: 'beginning', segment: 1 });
      kill(Number(child.pid));
      thaw(store);
      await begunOnce(id);
    },
    TEST_MS,
  );

  it(
    'is begun by another runner when the one that had it is killed with all its children',
    async () => {
      const store = await rig.pidOf('event-store');
      const { id } = await claiming(store);
      kill(-(await rig.pidOf('segment-runner')));
      thaw(store);
      await begunOnce(id);
    },
    TEST_MS,
  );
});
