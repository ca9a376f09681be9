import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CallId } from '#contracts';
import { ManagerUnderTest } from '../test/manager-under-test.js';
import { aRun, aSpec, Bench, finished, lacks, Rig } from '../test/rig.js';
import { until } from '../test/until.js';
import type { WorkspaceManager } from './assembly.js';
import { ControlGroups } from './control-groups.js';

const rig = new Rig();
afterAll(() => rig.close());

const MEGABYTE = 1_000_000;
const WRITE_FOR_EVER = 'while :; do head -c 20000000 /dev/zero >filler; done';

const foldersOf = (groups: ControlGroups, run: string): readonly string[] =>
  groups
    .names()
    .filter((name) => name.startsWith(run))
    .flatMap((name) => groups.of(name).folders);

const stateOf = (folder: string): string =>
  ['freezer.state', 'cgroup.freeze']
    .map((file) => join(folder, file))
    .flatMap((file) => (existsSync(file) ? readFileSync(file, 'utf8').trim() : []))
    .join('');

const isFrozen = (groups: ControlGroups, run: string): boolean =>
  foldersOf(groups, run).some((folder) => ['FROZEN', '1'].includes(stateOf(folder)));

/** Whether this kernel counts what a process writes where the workspaces lie: it does not in memory. */
async function countsWrites(manager: WorkspaceManager): Promise<boolean> {
  const bench = await new Bench(manager).open();
  return (
    finished(await bench.bash('head -c 5000000 /dev/zero >f; grep ^write_bytes /proc/$$/io')).text !==
    'write_bytes: 0\n'
  );
}

/** Undefined where commands cannot be held back. */
async function pacing(data: string): Promise<{ bench: Bench; groups: ControlGroups } | undefined> {
  const manager = await rig.manager(data, { writeBytesPerSecond: 50 * MEGABYTE });
  const { groups } = manager.means;
  if (lacks(groups?.freezes === true, 'freezer') || groups === undefined) return undefined;
  if (lacks(await countsWrites(manager), 'disk below its temporary folder')) return undefined;
  return { bench: await new Bench(manager).open(aSpec({ diskMb: 1_024 })), groups };
}

describe('a command that writes faster than its pace', () => {
  it('has to wait, and writes all that it wants to write', async () => {
    const paced = await pacing('waits');
    if (paced === undefined) return;
    const { bench, groups } = paced;
    const callId = bench.nextId();
    const command = 'for i in $(seq 40); do head -c 10000000 /dev/zero >>f; sleep 0.02; done; echo done';
    await bench.bash(command, { callId, waitMs: 0 });
    await until(() => isFrozen(groups, bench.runId));
    expect(finished(await bench.bash('for i in 1 2 3; do :; done; echo free')).text).toBe('free\n');
    const state = await bench.bash(command, { callId });
    expect(finished(state)).toEqual({ outcome: 'ok', text: 'done\n' });
    expect(statSync(join(rig.files(bench.runId, 'waits'), 'f')).size).toBe(400 * MEGABYTE);
  });

  it('is ended at its time limit also while it waits', async () => {
    const paced = await pacing('ends');
    if (paced === undefined) return;
    const { bench, groups } = paced;
    const call = bench.bash(WRITE_FOR_EVER, { limitMs: 4_000 });
    await until(() => isFrozen(groups, bench.runId));
    expect(finished(await call).outcome).toBe('timed-out');
    await until(() => foldersOf(groups, bench.runId).length === 0);
  });

  it('goes on when the manager that made it wait was killed', async () => {
    const runId = aRun();
    const command = 'echo >begun; sleep 1; echo done';
    const own = { runId, segment: 1, callId: CallId.parse('1-0'), tool: 'bash', input: { command } };
    const call = { ...own, limitMs: 60_000, outputBytes: 30_000 };
    const first = await ManagerUnderTest.start(rig.folder);
    await first.ask('open', { runId, segment: 1, spec: aSpec(), files: [] });
    await first.ask('runCall', { ...call, waitMs: 0 });
    await until(() => existsSync(join(rig.files(runId), 'begun')));
    const holder = readFileSync(join(rig.folder, 'data', 'workspaces', 'holder'), 'utf8').trim();
    const groups = ControlGroups.find(`baton-${holder}`);
    if (lacks(groups?.freezes === true, 'freezer') || groups === undefined) return first.kill();
    const group = groups.of(groups.names().find((name) => name.startsWith(runId)) ?? '');
    groups.freeze(group, true);
    await until(() => isFrozen(groups, runId));
    await first.kill();
    const next = await ManagerUnderTest.start(rig.folder);
    const state = await next.ask('runCall', { ...call, waitMs: 60_000 });
    expect(finished(state)).toEqual({ outcome: 'ok', text: 'done\n' });
    await next.kill();
  });
});
