import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ExternalTools, momentOf, RunId, type SegmentEndReason, streams } from '#contracts';
import { createMemoryLog, type EventLog, Runs, type StoredEvent } from '#log';
import { newId, systemClock } from '#platform';
import { runRequested } from '#testing';
import { plantServer, serverProcesses } from '../test/mcp-fixture.js';
import { aRun, aSpec, Bench, finished, lacks, Rig } from '../test/rig.js';
import { until } from '../test/until.js';
import type { AssemblyParts } from './assembly.js';
import { processName } from './processes.js';

let rig: Rig;
let log: EventLog;
const at = (): string => momentOf(Date.now());

beforeEach(() => {
  rig = new Rig();
  log = createMemoryLog(() => Date.now());
});
afterEach(() => rig.close());

const managing = (over: Partial<AssemblyParts> = {}) => rig.manager('data', { log, ...over });

/** A run whose first segment works, in a log that is real but for its place. */
async function working(): Promise<RunId> {
  const runId = RunId.parse(newId());
  await new Runs(log, { app: 'gateway', id: 't' }).request(runId, runRequested(Date.now()));
  const data = { at: at(), segment: 1, because: 'requested', restartsWithoutProgress: 0 } as const;
  await new Runs(log, { app: 'coordinator', id: 't' }).change(runId, () => [{ type: 'SegmentScheduled', data }]);
  const runner = { runnerId: 'r', host: 'h', pid: 2 ** 30 };
  const started = { at: at(), segment: 1, runner, deadline: momentOf(Date.now() + 600_000) };
  await new Runs(log, { app: 'segment-runner', id: 't' }).change(runId, () => [
    { type: 'SegmentStarted', data: started },
  ]);
  return runId;
}

const endSegment = (runId: RunId, reason: SegmentEndReason) =>
  new Runs(log, { app: 'segment-runner', id: 't' }).change(runId, () => [
    { type: 'SegmentEnded', data: { at: at(), segment: 1, reason } },
  ]);
const halt = (runId: RunId) =>
  new Runs(log, { app: 'coordinator', id: 't' }).change(runId, () => [
    { type: 'RunHalted', data: { at: at(), cap: 'steps', reason: 'enough' } },
  ]);
const reopen = (runId: RunId) =>
  new Runs(log, { app: 'gateway', id: 't' }).change(runId, () => [
    { type: 'RunReopened', data: { at: at(), by: 'a test', segment: 1 } },
  ]);

async function eventsOf(stream: string): Promise<StoredEvent[]> {
  const events = [];
  for await (const event of log.read(stream)) events.push(event);
  return events;
}
const typesOf = async (stream: string) => (await eventsOf(stream)).map(({ type }) => type);
const findings = async () => (await eventsOf(streams.upkeep)).map(({ data }) => data);

const BACKGROUND = { command: 'echo $$; sleep 300', background: true };
const inGroups = (bench: Bench): readonly string[] =>
  (bench.manager.means.groups?.names() ?? []).filter((name) => name.startsWith(bench.runId));
/** A group can be removed once its dead processes are gone: what is left at first is tidied away. */
const hasGroups = (bench: Bench, count: number) =>
  until(async () => {
    await bench.manager.tidy();
    return inGroups(bench).length === count;
  });

describe('the workspace of a run that has ended', () => {
  it('is released as soon as the log says so: nothing runs for it any more, its files are kept', async () => {
    const manager = await managing();
    manager.hearEnds();
    const bench = await new Bench(manager, await working()).open();
    await bench.bash('echo kept >kept');
    await bench.call('bash', BACKGROUND);
    void bench.bash('sleep 300', { waitMs: 0 });
    await endSegment(bench.runId, 'crashed');
    await halt(bench.runId);
    const stream = streams.workspace(bench.runId);
    await until(async () => (await typesOf(stream)).includes('WorkspaceReleased'));
    await hasGroups(bench, 0);
    expect(existsSync(join(rig.files(bench.runId), 'kept'))).toBe(true);
    await manager.tidy();
    expect(await typesOf(stream)).toEqual(['WorkspaceCreated', 'WorkspaceReleased']);
  });

  it('is released by the next tidying when nobody heard of its end', async () => {
    const manager = await managing();
    const bench = await new Bench(manager, await working()).open();
    await bench.call('bash', BACKGROUND);
    await halt(bench.runId);
    await manager.tidy();
    expect(await typesOf(streams.workspace(bench.runId))).toEqual(['WorkspaceCreated', 'WorkspaceReleased']);
    await hasGroups(bench, 0);
  });

  it('is removed when its files were kept long enough, and a run that is reopened later is told so', async () => {
    const manager = await managing({ keepMs: 0 });
    const bench = await new Bench(manager, await working()).open();
    await halt(bench.runId);
    await manager.tidy();
    expect(await typesOf(streams.workspace(bench.runId))).toEqual([
      'WorkspaceCreated',
      'WorkspaceReleased',
      'WorkspaceRemoved',
    ]);
    expect(existsSync(dirname(rig.files(bench.runId)))).toBe(false);
    expect(manager.workspaces.readJournal({ runId: bench.runId }).calls).toEqual([]);
    await reopen(bench.runId);
    bench.segment = 2;
    await expect(bench.open()).rejects.toMatchObject({
      code: 'workspace-lost',
      message: expect.stringContaining('were kept until'),
    });
  });

  it('is kept when the run is reopened at any moment of its release and removal', async () => {
    for (let moment = 1; moment <= 4; moment += 1) {
      let looks = 0;
      let runId = RunId.parse(newId());
      const reopening = new Proxy(log, {
        get: (target, name: keyof EventLog) => {
          if (name !== 'last') return target[name].bind(target);
          return async (stream: string) => {
            if (stream === streams.run(runId) && (looks += 1) === moment) await reopen(runId);
            return await target.last(stream);
          };
        },
      });
      const data = `data-${moment}`;
      const manager = await rig.manager(data, { keepMs: 0, log: reopening });
      const bench = await new Bench(manager, await working()).open();
      runId = bench.runId;
      await bench.bash('echo kept >kept');
      await halt(runId);
      looks = 0;
      await manager.tidy();
      const wasRemoved = looks < moment;
      bench.segment = 2;
      if (wasRemoved) expect(existsSync(rig.files(runId, data))).toBe(false);
      else expect(finished(await (await bench.open()).bash('cat kept')).text).toBe('kept\n');
      await rig.stop(manager);
    }
  });

  it('has its files back when the manager was killed as it began to remove them and the run goes on', async () => {
    const manager = await managing();
    const bench = await new Bench(manager, await working()).open();
    await bench.bash('echo kept >kept');
    await halt(bench.runId);
    await manager.tidy();
    renameSync(rig.files(bench.runId), join(dirname(rig.files(bench.runId)), 'leaving'));
    await reopen(bench.runId);
    bench.segment = 2;
    await bench.open();
    expect(finished(await bench.bash('cat kept')).text).toBe('kept\n');
  });
});

describe('the workspace of a run that rests', () => {
  it('holds no process after a while, and the command says why it ended', async () => {
    const manager = await managing({ restMs: 0 });
    const bench = await new Bench(manager, await working()).open();
    const callId = bench.nextId();
    await bench.call('bash', BACKGROUND, { callId });
    await manager.tidy();
    expect(inGroups(bench)).not.toEqual([]);
    await endSegment(bench.runId, 'waiting');
    await manager.tidy();
    await hasGroups(bench, 0);
    bench.segment = 2;
    await bench.open();
    const ended = await bench.call('check_command', { command_id: callId });
    expect(finished(ended).text).toContain('the run rested');
    expect(await findings()).toEqual([]);
  });

  it('keeps its commands for as long as they may run on', async () => {
    const manager = await managing({ restMs: 600_000 });
    const bench = await new Bench(manager, await working()).open();
    await bench.call('bash', BACKGROUND);
    await endSegment(bench.runId, 'waiting');
    await manager.tidy();
    await manager.tidy();
    expect(inGroups(bench)).not.toEqual([]);
    await halt(bench.runId);
    await manager.tidy();
    await hasGroups(bench, 0);
  });
});

describe('the MCP servers of a run that rests', () => {
  const external: ExternalTools = {
    http: [],
    mcp: { test: { command: ['node', 'mcp/server.mjs', 'stdio'], env: {} } },
    secrets: [],
  };
  /** A manager whose clock can be moved on, and a workspace with a server in it that has answered. */
  async function serving() {
    const clock = { now: () => systemClock.now(), monotonic: () => performance.now() + clock.laterMs, laterMs: 0 };
    const manager = await managing({ clock, restMs: 600_000 });
    const bench = await new Bench(manager, await working()).open(aSpec({ processes: 64 }), [], external);
    plantServer(rig.files(bench.runId));
    expect(finished(await bench.call('test__echo', { text: 'here' })).text).toBe('here');
    const processes = serverProcesses(manager);
    const lives = (): boolean => processes().length > 0;
    return { manager, bench, clock, lives };
  }

  it('end after half a minute of it, long before its commands, and the next segment has them again', async () => {
    const { manager, bench, clock, lives } = await serving();
    if (lacks(manager.means.groups !== undefined, 'control groups')) return;
    await bench.call('bash', BACKGROUND);
    await manager.tidy();
    clock.laterMs = 3_600_000;
    await manager.tidy();
    expect(lives()).toBe(true);
    await endSegment(bench.runId, 'waiting');
    await manager.tidy();
    clock.laterMs += 29_000;
    await manager.tidy();
    expect(lives()).toBe(true);
    clock.laterMs += 2_000;
    await manager.tidy();
    await until(() => !lives());
    await hasGroups(bench, 1);
    bench.segment = 2;
    await bench.open(aSpec({ processes: 64 }), [], external);
    expect(finished(await bench.call('test__echo', { text: 'again' })).text).toBe('again');
    expect(await findings()).toEqual([]);
  });

  it('say afterwards why they were stopped: the rest, or a halt that was lifted', async () => {
    const { manager, bench, clock } = await serving();
    const ended = async (): Promise<string | undefined> => {
      const { runId, segment } = bench;
      const { discoveries } = await manager.workspaces.discoverTools({ runId, segment, servers: ['test'] });
      return discoveries[0]?.state === 'ready' ? discoveries[0].ended : discoveries[0]?.reason;
    };
    expect(await ended()).toBeUndefined();
    await endSegment(bench.runId, 'waiting');
    await manager.tidy();
    clock.laterMs = 31_000;
    await manager.tidy();
    expect(await ended()).toBe('It was stopped because the run rested.');
    await halt(bench.runId);
    await manager.tidy();
    await reopen(bench.runId);
    bench.segment = 2;
    await bench.open(aSpec({ processes: 64 }), [], external);
    expect(await ended()).toBe('It was stopped because the run was halted.');
  });

  it('go on while a call of theirs is under way', async () => {
    const { manager, bench, clock, lives } = await serving();
    if (lacks(manager.means.groups !== undefined, 'control groups')) return;
    const call = { callId: bench.nextId(), waitMs: 0, effect: 'none' } as const;
    expect(await bench.call('test__hang', {}, call)).toMatchObject({ state: 'running' });
    await endSegment(bench.runId, 'waiting');
    await manager.tidy();
    clock.laterMs = 60_000;
    await manager.tidy();
    expect(lives()).toBe(true);
    expect(await bench.call('test__hang', {}, call)).toMatchObject({ state: 'running' });
  });
});

describe('what has no owner', () => {
  it('is ended when its run is not in the log, and told to a person; its files stay', async () => {
    const manager = await managing();
    const bench = await new Bench(manager).open();
    await bench.call('bash', BACKGROUND);
    await manager.tidy();
    await manager.tidy();
    await hasGroups(bench, 0);
    expect(existsSync(rig.files(bench.runId))).toBe(true);
    expect(await findings()).toMatchObject([
      { kind: 'command-without-run', runId: bench.runId, outcome: { mended: true } },
      { kind: 'workspace-without-run', runId: bench.runId, outcome: { mended: false } },
    ]);
  });

  it('is told when it is a folder that the journal does not know, and removed once its run has ended long ago', async () => {
    const manager = await managing({ keepMs: 0 });
    const [unknown, over] = [aRun(), await working()];
    await halt(over);
    for (const runId of [unknown, over]) mkdirSync(rig.files(runId), { recursive: true });
    await manager.tidy();
    expect(existsSync(rig.files(unknown))).toBe(true);
    expect(existsSync(rig.files(over))).toBe(false);
    expect(await findings()).toMatchObject([
      { kind: 'folder-without-owner', outcome: { mended: false, toDo: expect.stringContaining('Copy') } },
      { kind: 'folder-without-owner', outcome: { mended: true } },
    ]);
  });

  it('is never a workspace that is being made meanwhile', async () => {
    const manager = await managing({ keepMs: 0 });
    const benches = await Promise.all(Array.from({ length: 8 }, async () => new Bench(manager, await working())));
    await Promise.all([...benches.map((bench) => bench.open(aSpec())), manager.tidy(), manager.tidy()]);
    for (const bench of benches) expect(finished(await bench.bash('echo here')).text).toBe('here\n');
    expect(await findings()).toEqual([]);
  });

  it('is ended when it runs for a manager whose data are gone', async () => {
    const gone = await rig.manager('gone', { log });
    const bench = await new Bench(gone, await working()).open();
    if (!gone.means.groups) return;
    await bench.call('bash', BACKGROUND);
    const { groups } = gone.means;
    const [name = ''] = inGroups(bench);
    await until(() => groups.members(groups.of(name)).length > 0);
    const [pid = 0] = groups.members(groups.of(name));
    await rig.stop(gone);
    const other = await managing();
    await other.tidy();
    expect(processName(pid)).toBeDefined();
    rmSync(join(rig.folder, 'gone'), { recursive: true, force: true });
    await other.tidy();
    await until(() => groups.members(groups.of(name)).length === 0);
    expect(await findings()).toMatchObject([{ kind: 'group-without-owner', outcome: { mended: true } }]);
    await other.tidy();
    groups.leave();
  });
});

describe('a whole output', () => {
  it('is named in the log as soon as it is stored, long before its result is collected', async () => {
    const manager = await managing();
    const bench = await new Bench(manager, await working()).open();
    const state = await bench.bash('seq 1 100000', { outputBytes: 2_000 });
    const whole = state.state === 'finished' ? state.whole : undefined;
    expect((await eventsOf(streams.workspace(bench.runId))).at(-1)).toMatchObject({
      type: 'OutputKept',
      data: { whole },
    });
  });
});
