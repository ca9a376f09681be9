import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Bus } from '#bus';
import { CallId, OpenWorkspace, RunCall, type RunId, StopCall, WorkspaceSpec, workspaceSubject } from '#contracts';
import { silentLogger } from '#platform';
import { until } from '#testing';
import { ClusterRig, completedExactly, freeze, GATED, idsOf, TEST_MS, thaw } from './cluster-rig.js';

/*
 * Laws 3 and 4: a runner that stood still until it was presumed dead finds, when it is woken, that the run has moved on. It
 * appends nothing, and the workspace refuses what it asks for.
 */
let rig: ClusterRig;
let second: ChildProcess | undefined;
let bus: Bus;
beforeAll(async () => {
  rig = await ClusterRig.start();
  const env = await rig.environment('segment-runner');
  bus = await Bus.connect({ url: String(env['BATON_BUS_URL']), name: 'test', logger: silentLogger });
  second = fork('dist/apps/segment-runner/src/main.js', { env, stdio: 'ignore' });
  await once(second, 'message');
}, TEST_MS);
afterAll(async () => {
  second?.kill('SIGKILL');
  await bus.close();
  await rig.remove();
}, TEST_MS);

/** The supervisor that works on the run, and all its children. */
async function runnerOf(id: RunId): Promise<readonly number[]> {
  const listed = await rig.processes();
  const ours = listed.find(({ name }) => name === 'segment-runner')?.pid ?? 0;
  const children = listed.filter(({ name }) => name === 'segment').map(({ pid }) => Number(pid));
  const child = await rig.childOf(id);
  return children.includes(child) ? [ours, ...children] : [Number(second?.pid), child];
}

/** What a segment asks of the run's workspace when it goes on with its first call. */
async function askAs(segment: number, runId: RunId): Promise<unknown> {
  const within = { timeoutMs: 10_000 };
  const asker = { runId, segment };
  const opening = { ...asker, spec: WorkspaceSpec.parse({}), files: [] };
  const { holder } = await bus.ask(OpenWorkspace.subject, { ...opening, segment: 2 }, OpenWorkspace.answer, within);
  const call = { ...asker, callId: CallId.parse('1-0'), tool: 'bash', input: { command: 'echo fenced >> ledger' } };
  const limits = { limitMs: 60_000, outputBytes: 1_000, waitMs: 0 };
  const running = bus.ask(workspaceSubject(holder, RunCall.verb), { ...call, ...limits }, RunCall.answer, within);
  await expect(running).rejects.toMatchObject({ code: 'fenced', remedy: 'stand-down' });
  const stop = { ...asker, callId: call.callId, because: 'cancelled' };
  return bus.ask(workspaceSubject(holder, StopCall.verb), stop, StopCall.answer, within);
}

describe('a runner that is woken after it was presumed dead', () => {
  it(
    'is fenced: the run goes on elsewhere, and what it says and asks for changes nothing',
    async () => {
      const id = await rig.run({ command: GATED }, 2);
      await until(async () => (await rig.notes(id, 'begun')).length === 1);
      const stopped = await runnerOf(id);
      for (const pid of stopped) freeze(pid);
      try {
        await rig.recorded(id, 'RunPresumedDead', ({ segment }) => segment === 1);
        await rig.recorded(id, 'SegmentStarted', ({ segment }) => segment === 2);
        await until(() =>
          askAs(1, id).then(
            () => false,
            (error: { code?: string }) => error.code === 'fenced',
          ),
        );
      } finally {
        for (const pid of stopped) thaw(pid);
      }
      await rig.openGate(id);
      const events = await completedExactly(rig, id, 2);
      expect(await rig.notes(id, 'begun')).toEqual(idsOf(2));
      const death = events.findIndex(({ type }) => type === 'RunPresumedDead');
      const late = events.slice(death).filter(({ type, data }) => type !== 'RunPresumedDead' && data['segment'] === 1);
      expect(late).toEqual([]);
    },
    TEST_MS,
  );
});
