import type { RunId } from '#contracts';
import { until } from '#testing';
import { ClusterRig, completedExactly, kill, STEADY, TEST_MS } from './cluster-rig.js';

/*
 * The promise, on a real cluster with real kills: whichever process dies in the middle of a run, every item is worked on
 * exactly once. Counted by a ledger that the commands themselves write, not by what Baton says of itself.
 */
const ITEMS = 6;

let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

async function inTheMiddle(): Promise<RunId> {
  const id = await rig.run({ command: STEADY }, ITEMS);
  await until(async () => (await rig.notes(id, 'ledger')).length >= 2, TEST_MS);
  return id;
}

describe('a run on a real cluster', () => {
  it(
    'goes on with the next item when the process of its segment is killed',
    async () => {
      const id = await inTheMiddle();
      kill(await rig.childOf(id));
      const events = await completedExactly(rig, id, ITEMS);
      expect(events.find(({ type }) => type === 'SegmentEnded')?.data).toMatchObject({ segment: 1, reason: 'crashed' });
    },
    TEST_MS,
  );

  it.each([
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
      const id = await inTheMiddle();
      kill(await rig.pidOf(name));
      await completedExactly(rig, id, ITEMS);
      await rig.pidOf(name);
    },
    TEST_MS,
  );

  it(
    'is the same run when it is started twice with the same key',
    async () => {
      await inTheMiddle();
      const order = ['run', 'worker-1', '--input', 'x', '--idempotency-key', 'k1', '--json'];
      const ids = [await rig.baton(...order), await rig.baton(...order)].map((text) => JSON.parse(text).id as string);
      expect(ids[0]).toBe(ids[1]);
      expect(await rig.baton(...order.slice(0, -1))).toContain(
        `Run ${ids[0]} of ${order[1]} was started before with this key`,
      );
    },
    TEST_MS,
  );
});
