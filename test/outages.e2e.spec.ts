import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunId } from '#contracts';
import { until } from '#testing';
import { ClusterRig, completedExactly, freeze, GATED, idsOf, kill, STEADY, TEST_MS, thaw } from './cluster-rig.js';

/*
 * Whatever a run needs may be away for a while, and may have forgotten what it is allowed to forget: the run goes on, and
 * each item is worked on exactly once. A service that is frozen and then killed is away for as long as the test wants.
 */
let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

const begun = (id: RunId): Promise<boolean> =>
  until(async () => (await rig.notes(id, 'begun')).length > 0 || (await rig.notes(id, 'ledger')).length > 0);

describe('a run goes on', () => {
  it(
    'although the coordinator is away when its segment ends',
    async () => {
      const coordinator = await rig.pidOf('coordinator');
      const id = await rig.run({ command: GATED, caps: { segmentSeconds: 3, reserveSeconds: 1 } }, 1);
      await begun(id);
      freeze(coordinator);
      const { revision } = await rig.recorded(id, 'SegmentEnded', ({ reason }) => reason === 'handoff');
      await rig.openGate(id);
      await until(async () => (await rig.notes(id, 'ledger')).length === 1);
      expect((await rig.events(id)).at(-1)?.revision).toBe(revision);
      kill(coordinator);
      await completedExactly(rig, id, 1);
      expect(await rig.notes(id, 'begun')).toEqual(idsOf(1));
    },
    TEST_MS,
  );

  it(
    'while the gateway is away, and shows all of it when that is back',
    async () => {
      const gateway = await rig.pidOf('gateway');
      const id = await rig.run({ command: STEADY }, 5);
      await begun(id);
      freeze(gateway);
      await until(async () => (await rig.notes(id, 'ledger')).length === 5);
      kill(gateway);
      await completedExactly(rig, id, 5);
    },
    TEST_MS,
  );

  it(
    'when everything that the bus has stored is lost in the middle of it',
    async () => {
      const bus = await rig.pidOf('nats');
      const id = await rig.run({ command: STEADY, caps: { segmentSeconds: 2.5, reserveSeconds: 1 } }, 10);
      await begun(id);
      freeze(bus);
      await rm(join(rig.data, 'nats'), { recursive: true });
      kill(bus);
      const events = await completedExactly(rig, id, 10);
      // It was handed over by a bus that knew nothing of it.
      expect(events.filter(({ type }) => type === 'SegmentStarted').length).toBeGreaterThan(1);
    },
    TEST_MS,
  );

  it(
    'when the bus has lost a segment that nobody had taken',
    async () => {
      const [runner, bus] = [await rig.pidOf('segment-runner'), await rig.pidOf('nats')];
      freeze(runner);
      const id = await rig.run({ command: STEADY }, 2);
      await rig.recorded(id, 'SegmentScheduled');
      freeze(bus);
      await rm(join(rig.data, 'nats'), { recursive: true });
      kill(bus);
      thaw(runner);
      await completedExactly(rig, id, 2);
    },
    TEST_MS,
  );

  it(
    'and so do all others when the event store is killed again and again under load',
    async () => {
      const ids = await Promise.all(Array.from({ length: 5 }, () => rig.run({ command: STEADY }, 4)));
      for (const lines of [1, 2, 3]) {
        await until(async () => (await rig.notes(ids[0] as RunId, 'ledger')).length >= lines);
        kill(await rig.pidOf('event-store'));
      }
      for (const id of ids) await completedExactly(rig, id, 4);
    },
    TEST_MS,
  );
});
