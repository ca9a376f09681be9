import { Heartbeat, type RunId } from '#contracts';
import { Runs } from '#log';
import { BLOCKABLE, blockLoop, isThere, until } from '#testing';
import { RunnerRig, TEST_MS } from '../../test/runner-rig.js';

/* Children that are there and do nothing: their supervisor ends them, and their slot is free again. */
const HUNG = { BATON_HUNG_MS: '3000', ...BLOCKABLE };
const WORK = { items: ['a'], thinkMs: 600_000 };

let rig: RunnerRig;
beforeEach(async () => {
  rig = await RunnerRig.start();
}, TEST_MS);
afterEach(() => rig.stop(), TEST_MS);

/** The beats that come from now on. */
function beatsOf(runId: RunId): Heartbeat[] {
  const beats: Heartbeat[] = [];
  rig.bus.listen(`${Heartbeat.subject}.${runId}`, Heartbeat.body, (beat) => void beats.push(beat));
  return beats;
}

describe('a child whose loop is blocked', () => {
  it(
    'still beats, is killed by its supervisor with the reason in the log, and makes room for the next segment',
    async () => {
      const runner = rig.startRunner(HUNG);
      const run = await rig.scheduled(WORK);
      const child = await rig.childOf(run);
      const beats = beatsOf(run);
      await blockLoop(runner.stderr ?? process.stdin, child);
      await until(() => beats.some(({ loopAgeMs }) => loopAgeMs > 1_500));
      const { data } = await rig.recorded(run, 'SegmentEnded');
      expect(data).toMatchObject({ segment: 1, reason: 'crashed', detail: 'Its loop had not turned for 3 s.' });
      await rig.schedule(run, 2, 'crash');
      await until(async () => (await rig.childOf(run)) !== child);
    },
    TEST_MS,
  );

  it(
    'ends itself when nobody is left to kill it',
    async () => {
      const runner = rig.startRunner(HUNG);
      const run = await rig.scheduled(WORK);
      const child = await rig.childOf(run);
      await blockLoop(runner.stderr ?? process.stdin, child);
      runner.kill('SIGKILL');
      await until(() => !isThere(child), TEST_MS);
      expect(await rig.find(run, 'SegmentEnded')).toBeUndefined();
    },
    TEST_MS,
  );
});

describe('a child that stands still', () => {
  it(
    'does not keep its slot after it was presumed dead',
    async () => {
      rig.startRunner(HUNG);
      const run = await rig.scheduled(WORK);
      const child = await rig.childOf(run);
      process.kill(child, 'SIGSTOP');
      const data = { at: new Date().toISOString(), segment: 1, evidence: 'silence' as const, silentMs: 5_000 };
      await new Runs(rig.log, { app: 'sweeper', id: 'test' }).change(run, () => [{ type: 'RunPresumedDead', data }]);
      await rig.schedule(run, 2, 'presumed-dead');
      await until(async () => (await rig.childOf(run)) !== child, TEST_MS);
      expect(isThere(child)).toBe(false);
      expect(await rig.find(run, 'SegmentEnded')).toBeUndefined();
    },
    TEST_MS,
  );

  it(
    'is left alone when the whole machine stands still for longer than that',
    async () => {
      const runner = rig.startRunner(HUNG);
      const run = await rig.scheduled(WORK);
      const pids = [await rig.childOf(run), Number(runner.pid)];
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      const since = performance.now();
      await until(() => performance.now() - since > 2 * Number(HUNG.BATON_HUNG_MS));
      const beats = beatsOf(run);
      for (const pid of pids) process.kill(pid, 'SIGCONT');
      await until(() => beats.length > 5);
      expect(await rig.find(run, 'SegmentEnded')).toBeUndefined();
      expect(await rig.childOf(run)).toBe(pids[0]);
    },
    TEST_MS,
  );
});
