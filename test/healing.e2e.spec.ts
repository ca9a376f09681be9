import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunId } from '#contracts';
import { until } from '#testing';
import { ClusterRig, completedExactly, endedOnce, idsOf, kill, STEADY, TEST_MS } from './cluster-rig.js';

/*
 * Alive, slow and dead on a real cluster: who watches may be there twice and may die, who is slow is left alone, who
 * stops in an orderly way is never counted, and who kills its processes is halted.
 */
let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

async function another(service: string): Promise<ChildProcess> {
  const env = await rig.environment(service);
  const process = fork(`dist/apps/${service}/src/main.js`, { env, stdio: 'ignore' });
  await once(process, 'message');
  return process;
}

const ofType = async (id: RunId, type: string) => (await rig.events(id)).filter((event) => event.type === type);

describe('a cluster that heals', () => {
  it(
    'does everything once with two sweepers and two coordinators, whichever of them is killed',
    async () => {
      const seconds = [await another('sweeper'), await another('coordinator')];
      try {
        const id = await rig.run({ command: STEADY }, 12);
        for (const [done, victim] of [
          [1, await rig.pidOf('sweeper')],
          [2, await rig.pidOf('coordinator')],
          [3, Number(seconds[0]?.pid)],
          [4, Number(seconds[1]?.pid)],
        ] as const) {
          await until(async () => (await rig.notes(id, 'ledger')).length >= done, TEST_MS);
          kill(victim);
          kill(await rig.childOf(id));
          const deaths = done;
          await until(async () => (await ofType(id, 'SegmentStarted')).length > deaths, TEST_MS);
        }
        const events = await completedExactly(rig, id, 12);
        const scheduled = events.filter(({ type }) => type === 'SegmentScheduled').map(({ data }) => data['segment']);
        expect(scheduled).toEqual(scheduled.map((_, place) => place + 1));
      } finally {
        for (const process of seconds) process.kill('SIGKILL');
      }
    },
    TEST_MS,
  );

  it(
    'does not wait for the silence of a process that is gone with its supervisor',
    async () => {
      const id = await rig.run({ command: STEADY }, 6);
      await until(async () => (await rig.notes(id, 'ledger')).length >= 1, TEST_MS);
      const [supervisor, child] = [await rig.pidOf('segment-runner'), await rig.childOf(id)];
      kill(supervisor);
      kill(child);
      const events = await completedExactly(rig, id, 6);
      const deaths = events.filter(({ type }) => type === 'RunPresumedDead');
      expect(deaths.map(({ data }) => [data['segment'], data['evidence']])).toEqual([[1, 'process-gone']]);
    },
    TEST_MS,
  );

  it(
    'counts none of ten orderly stops of its processes, as ten deployments make them',
    async () => {
      const id = await rig.run({ command: STEADY, caps: { restartsWithoutProgress: 1 } }, 20);
      for (let deployment = 1; deployment <= 10; deployment += 1) {
        await until(async () => (await rig.notes(id, 'ledger')).length >= deployment, TEST_MS);
        process.kill(await rig.childOf(id), 'SIGTERM');
        await until(async () => (await ofType(id, 'SegmentStarted')).length > deployment, TEST_MS);
      }
      const events = await completedExactly(rig, id, 20);
      const restarts = events.filter(({ type }) => type === 'SegmentScheduled');
      expect(restarts.map(({ data }) => data['restartsWithoutProgress'])).toEqual(restarts.map(() => 0));
    },
    TEST_MS,
  );

  it(
    'halts a run that kills each of its processes, with growing pauses and a sentence',
    async () => {
      const id = await rig.run({ command: 'true', thinkMs: 60_000, caps: { restartsWithoutProgress: 3 } }, 1);
      for (let segment = 1; segment <= 3; segment += 1) {
        await rig.recorded(id, 'SegmentStarted', (data) => data['segment'] === segment);
        kill(await rig.childOf(id));
      }
      const events = await endedOnce(rig, id);
      expect(events.at(-1)).toMatchObject({ type: 'RunHalted', data: { cap: 'restartsWithoutProgress' } });
      const at = (type: string): number[] =>
        events.filter((event) => event.type === type).map(({ data }) => Date.parse(String(data['at'])));
      const ends = at('SegmentEnded');
      const pauses = at('SegmentScheduled')
        .slice(1)
        .map((next, place) => next - (ends[place] ?? 0));
      expect(pauses).toHaveLength(2);
      expect(pauses[0]).toBeGreaterThanOrEqual(200);
      expect(pauses[1]).toBeGreaterThanOrEqual(400);
    },
    TEST_MS,
  );

  it(
    'leaves a segment alone that stands still for four fifths of the time, and runs nothing twice',
    async () => {
      const id = await rig.run({ command: `echo {id} >> begun; ${STEADY}`, caps: { segmentSeconds: 600 } }, 12);
      await rig.recorded(id, 'SegmentStarted');
      const child = await rig.childOf(id);
      for (const stillMs of [2_500, ...Array.from({ length: 6 }, () => 4_000)]) {
        process.kill(child, 'SIGSTOP');
        await pause(stillMs);
        process.kill(child, 'SIGCONT');
        await pause(1_000);
      }
      const events = await completedExactly(rig, id, 12);
      expect(await rig.notes(id, 'begun')).toEqual(idsOf(12));
      expect(events.filter(({ type }) => type === 'RunPresumedDead')).toEqual([]);
      expect(events.filter(({ type }) => type === 'SegmentStarted')).toHaveLength(1);
    },
    TEST_MS,
  );

  it(
    'shows a command that burns the processor for long as slow, and runs it once',
    async () => {
      const burn = 'echo {id} >> begun; until [ $SECONDS -ge 40 ]; do :; done; echo {id} >> ledger; echo {id}';
      const id = await rig.run({ command: burn, caps: { segmentSeconds: 600 } }, 1);
      await until(async () => (await rig.view(id)).heartbeat?.verdict === 'slow', TEST_MS);
      const events = await completedExactly(rig, id, 1);
      expect(await rig.notes(id, 'begun')).toEqual(idsOf(1));
      expect(events.filter(({ type }) => type === 'SegmentStarted')).toHaveLength(1);
    },
    TEST_MS,
  );
});
