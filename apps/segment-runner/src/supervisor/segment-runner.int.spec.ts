import { z } from 'zod';
import { millisOf, OpenWorkspace, type RunId, WORK_CONSUMERS } from '#contracts';
import { exitOf, RunnerRig, TEST_MS } from '../../test/runner-rig.js';

let rig: RunnerRig;
beforeEach(async () => {
  rig = await RunnerRig.start();
}, TEST_MS);
afterEach(() => rig.stop(), TEST_MS);

describe('a segment-runner for one job (--once)', () => {
  it(
    'takes one segment, finishes it, leaves the next one to others and exits with 0',
    async () => {
      const runs = [await rig.scheduled(), await rig.scheduled()];
      expect(await exitOf(rig.startRunner({}, ['--once']))).toBe(0);
      const ends = await Promise.all(runs.map((run) => rig.find(run, 'SegmentEnded')));
      expect(ends.map((end) => end?.data.reason)).toEqual(['finished', undefined]);
      const { pending, ackPending } = (await rig.bus.consumerState(WORK_CONSUMERS.runSegment)) ?? {};
      expect(Number(pending) + Number(ackPending)).toBe(1);
      expect(await exitOf(rig.startRunner({ BATON_ONCE: '1' }))).toBe(0);
      expect((await rig.find(runs[1] as RunId, 'SegmentEnded'))?.data.reason).toBe('finished');
    },
    TEST_MS,
  );

  it(
    'exits with 0 when there is nothing to take for as long as it may wait',
    async () => {
      expect(await exitOf(rig.startRunner({ BATON_ONCE: '1', BATON_ONCE_WAIT_MS: '300' }))).toBe(0);
    },
    TEST_MS,
  );

  it(
    'records that its child has died and exits with 1',
    async () => {
      const run = await rig.scheduled({ items: ['a'], thinkMs: 600_000 });
      const runner = rig.startRunner({ BATON_ONCE: '1' });
      const started = await rig.recorded(run, 'SegmentStarted');
      process.kill(started.data.runner.pid, 'SIGKILL');
      expect(await exitOf(runner)).toBe(1);
      expect(await rig.endOf(run)).toBe('crashed');
    },
    TEST_MS,
  );
});

describe('a segment-runner', () => {
  it(
    'records the crash of a segment that fails for no known reason, and takes the next one',
    async () => {
      rig.bus.answer(OpenWorkspace.subject, z.object({}), async () => ({ nonsense: true }));
      rig.startRunner();
      const poisoned = await rig.scheduled({ items: ['a'] });
      expect(await rig.endOf(poisoned)).toBe('crashed');
      expect(await rig.endOf(await rig.scheduled())).toBe('finished');
    },
    TEST_MS,
  );

  it(
    'gives no more segments to a child that was asked to stop',
    async () => {
      rig.startRunner();
      const run = await rig.scheduled({ items: ['a'], thinkMs: 600_000 });
      const started = await rig.recorded(run, 'SegmentStarted');
      process.kill(started.data.runner.pid, 'SIGTERM');
      expect(await rig.endOf(run)).toBe('drain');
      const next = await rig.scheduled();
      expect(await rig.endOf(next)).toBe('finished');
      expect((await rig.find(next, 'SegmentStarted'))?.data.runner.pid).not.toBe(started.data.runner.pid);
    },
    TEST_MS,
  );

  it(
    'hands off what it works on and exits with the signal when it is asked to stop',
    async () => {
      const runner = rig.startRunner();
      const run = await rig.scheduled({ items: ['a'], thinkMs: 600_000 });
      await rig.recorded(run, 'SegmentStarted');
      runner.kill('SIGTERM');
      await exitOf(runner);
      expect(runner.signalCode).toBe('SIGTERM');
      expect(await rig.endOf(run)).toBe('drain');
    },
    TEST_MS,
  );

  it(
    'that was killed leaves its segment at work until another runner is free for the run',
    async () => {
      const runner = rig.startRunner();
      const run = await rig.scheduled({ items: ['a'], thinkMs: 600_000 });
      await rig.recorded(run, 'SegmentStarted');
      runner.kill('SIGKILL');
      await exitOf(runner);
      const killedAt = Date.now();
      await rig.freeProcesses(0);
      expect(await rig.find(run, 'SegmentEnded')).toBeUndefined();
      rig.startRunner();
      const end = await rig.recorded(run, 'SegmentEnded');
      expect(end.data).toMatchObject({ reason: 'drain', detail: 'The supervisor of its process was gone.' });
      expect(millisOf(end.data.at)).toBeGreaterThan(killedAt);
      await rig.freeProcesses(1);
    },
    TEST_MS,
  );
});
