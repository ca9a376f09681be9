import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { CallId, type CallState, type RunId } from '#contracts';
import { canonical } from '#domain';
import { newId, parseStat, sha256 } from '#platform';
import { FileEventLog } from '../test/file-event-log.js';
import { ManagerUnderTest } from '../test/manager-under-test.js';
import { requestRun } from '../test/request-run.js';
import { aRun, aSpec, finished, Rig } from '../test/rig.js';
import { until } from '../test/until.js';
import { Folders } from './folders.js';
import { bootId } from './machine.js';
import { leftBehind, processName } from './processes.js';

const callId = CallId.parse('1-0');
const digests = (before: string, after: string) => ({ path: 'e.txt', before: sha256(before), after: sha256(after) });
const LEDGER = 'echo started >>ledger';

describe('a manager that is killed', () => {
  let rig: Rig;
  let runId: RunId;
  let manager: ManagerUnderTest;

  beforeEach(async () => {
    rig = new Rig();
    runId = aRun();
    await requestRun(rig, runId);
    manager = await start();
  });
  afterEach(async () => {
    await manager.kill();
    await rig.close();
  });

  async function start(): Promise<ManagerUnderTest> {
    manager = await ManagerUnderTest.start(rig.folder);
    return manager;
  }
  const open = (segment = 1) => manager.ask('open', { runId, segment, spec: aSpec(), files: [] });
  const folders = () => new Folders(join(rig.folder, 'data'));
  const file = (name: string) => join(rig.files(runId), name);
  const call = (tool: string, input: Record<string, string>, waitMs: number, segment = 1): Promise<CallState> =>
    manager.ask('runCall', { runId, segment, callId, tool, input, limitMs: 60_000, outputBytes: 30_000, waitMs });
  const bash = (command: string, waitMs: number, segment = 1) => call('bash', { command }, waitMs, segment);
  const ask = (waitMs = 20_000, segment = 1) => manager.ask('askCall', { runId, segment, callId, waitMs });
  const executions = async () => (await manager.ask('readJournal', { runId })).calls.map((row) => row.executions);
  const ledger = () => readFileSync(file('ledger'), 'utf8');
  /** Writes to the journal as a manager that died at some moment has left it; plain SQL leaves no lock behind. */
  function journalHolds(sql: string): void {
    const db = new DatabaseSync(folders().journal);
    db.exec(sql);
    db.close();
  }
  function started(row: { id?: string; tool?: string; digest?: string; boot?: string; edit?: object }): void {
    const { id = '1-0', tool = 'bash', digest = sha256(''), boot = bootId(), edit } = row;
    const editing = edit ? `'${JSON.stringify(edit)}'` : 'NULL';
    journalHolds(`INSERT INTO calls
      (run_id, call_id, segment, tool, input_digest, limit_ms, output_bytes, started_at, boot_id, state, edit) VALUES
      ('${runId}', '${id}', 1, '${tool}', '${digest}', 1000, 1000, ${Date.now()}, '${boot}', 'running', ${editing})`);
  }
  const begun = () => until(() => existsSync(file('ledger')));

  it('waits for a command that still runs when it comes back', async () => {
    await open();
    await bash(`${LEDGER}; until test -e go; do sleep 0.02; done; echo done`, 0);
    await begun();
    await manager.kill();
    await start();
    expect((await ask(50)).state).toBe('running');
    const asking = ask();
    writeFileSync(file('go'), '');
    expect(finished(await asking)).toEqual({ outcome: 'ok', text: 'done\n' });
    expect(ledger()).toBe('started\n');
    expect(await executions()).toEqual([1]);
  });

  it('finds the result of a command that ended while it was away, killed twice', async () => {
    await open();
    await bash(`${LEDGER}; until test -e go; do sleep 0.02; done; echo done; exit 4`, 0);
    await begun();
    await manager.kill();
    await (await start()).kill();
    writeFileSync(file('go'), '');
    const exit = join(folders().call({ runId, callId, attempt: 1 }), 'exit');
    await until(() => readFileSync(exit, 'utf8').startsWith('exit'));
    await start();
    expect(finished(await ask())).toEqual({ outcome: 'error', text: 'done\n[exit status 4]' });
    expect(ledger()).toBe('started\n');
    expect(await executions()).toEqual([1]);
  });

  it('runs a call once however often the request is repeated after the restart', async () => {
    await open();
    const command = `${LEDGER}; sleep 0.3; echo done`;
    await bash(command, 0);
    await manager.kill();
    await start();
    const states = await Promise.all([bash(command, 20_000), bash(command, 20_000)]);
    // Killed before the shim's claim the call has never begun and runs now; later it goes on. Either way: once.
    for (const state of states) expect(finished(state).text).toBe('done\n');
    expect(ledger()).toBe('started\n');
    expect(await executions()).toEqual([1]);
  });

  it.each([0, 1, 2, 3, 5, 8, 12, 20, 30])(
    'starts a call once when it is killed %i ms after the request',
    async (ms) => {
      await open();
      const command = `${LEDGER}; echo done`;
      bash(command, 0).catch(() => undefined);
      const at = performance.now() + ms;
      await until(() => performance.now() >= at);
      await manager.kill();
      await start();
      const found = await ask();
      const state = found.state === 'absent' ? await bash(command, 20_000) : found;
      expect(finished(state).text).toBe('done\n');
      expect(ledger()).toBe('started\n');
      expect(await executions()).toEqual([1]);
    },
  );

  it('says that a call between its journal row and its start never began, and keeps a late shim from starting', async () => {
    await open();
    await manager.kill();
    const input = { command: `${LEDGER}; echo done` };
    started({ digest: sha256(canonical(['bash', input])) });
    await start();
    expect(await ask()).toEqual({ state: 'absent' });
    expect(finished(await bash(input.command, 20_000)).text).toBe('done\n');
    expect(ledger()).toBe('started\n');
  });

  it('is honest about a command whose shim was killed while it was away', async () => {
    await open();
    await bash(`${LEDGER}; sleep 60; ${LEDGER}`, 0);
    await begun();
    await manager.kill();
    const claim = readFileSync(join(folders().call({ runId, callId, attempt: 1 }), 'claim'), 'utf8');
    const shim = Number.parseInt(claim, 10);
    process.kill(shim, 'SIGKILL');
    await until(() => processName(shim) === undefined);
    await start();
    expect(await ask()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('was killed') });
    expect(await bash(`${LEDGER}; sleep 60; ${LEDGER}`, 20_000)).toMatchObject({ state: 'unknown' });
    expect(ledger()).toBe('started\n');
    expect(await executions()).toEqual([1]);
  });

  it('ends what is left of a command whose shim was killed before it says that nobody knows', async () => {
    await open();
    await bash(`${LEDGER}; until test -e go; do sleep 0.02; done; echo went on >> ledger`, 0);
    await begun();
    const claim = readFileSync(join(folders().call({ runId, callId, attempt: 1 }), 'claim'), 'utf8');
    const shim = parseStat(claim);
    process.kill(shim?.pid ?? 0, 'SIGKILL');
    expect(await ask()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('was killed') });
    expect(shim && leftBehind(shim)).toEqual([]);
    writeFileSync(file('go'), '');
    expect(ledger()).toBe('started\n');
  });

  it('is honest about a command that the machine did not survive', async () => {
    await open();
    await manager.kill();
    started({ boot: newId() });
    await start();
    expect(await ask()).toMatchObject({ state: 'unknown', reason: 'The machine was restarted while the command ran.' });
  });

  it('stops a command that it has found again', async () => {
    await open();
    await bash(`${LEDGER}; sleep 300`, 0);
    await begun();
    await manager.kill();
    await start();
    const state = await manager.ask('stopCall', { runId, segment: 1, callId, because: 'cancelled' });
    expect(finished(state).outcome).toBe('cancelled');
  });

  it('holds a command to its time limit all the same', async () => {
    await open();
    const input = { command: `${LEDGER}; sleep 300` };
    const request = { runId, segment: 1, callId, tool: 'bash', input, limitMs: 1_500, outputBytes: 1_000, waitMs: 0 };
    await manager.ask('runCall', request);
    await begun();
    await manager.kill();
    await start();
    expect(finished(await ask()).outcome).toBe('timed-out');
  });

  it('knows the newest segment still, and lets it collect what an older one has started', async () => {
    await open(1);
    await bash(`${LEDGER}; until test -e go; do sleep 0.02; done; echo done`, 0, 1);
    await begun();
    expect((await ask(0, 2)).state).toBe('running');
    await manager.kill();
    await start();
    await expect(ask(0, 1)).rejects.toMatchObject({ code: 'fenced', remedy: 'stand-down' });
    const asking = ask(20_000, 2);
    writeFileSync(file('go'), '');
    expect(finished(await asking).text).toBe('done\n');
  });

  it('finds by the digests what became of an edit', async () => {
    await open();
    writeFileSync(file('e.txt'), 'after');
    await manager.kill();
    started({ id: '1-0', tool: 'edit_file', edit: digests('before', 'after') });
    started({ id: '1-1', tool: 'edit_file', edit: digests('after', 'later') });
    started({ id: '1-2', tool: 'edit_file', edit: digests('x', 'y') });
    started({ id: '1-3', tool: 'edit_file' });
    await start();
    const ids = ['1-0', '1-1', '1-2', '1-3'].map((id) => CallId.parse(id));
    const states = await Promise.all(
      ids.map((id) => manager.ask('askCall', { runId, segment: 1, callId: id, waitMs: 5_000 })),
    );
    expect(states.map((state) => state.state)).toEqual(['finished', 'absent', 'unknown', 'absent']);
  });

  it('makes a half-made workspace again, and never a lost one', async () => {
    const files = await rig.seed({ 'a.txt': 'a', 'b.txt': 'b' });
    await open();
    await manager.kill();
    const half = aRun();
    journalHolds(
      `INSERT INTO workspaces (run_id, state, segment, spec) VALUES ('${half}', 'creating', 1, '${JSON.stringify(aSpec())}')`,
    );
    mkdirSync(folders().seed(half), { recursive: true });
    writeFileSync(join(folders().seed(half), 'a.txt'), 'half of');
    rmSync(rig.files(runId), { recursive: true });
    await start();
    await manager.ask('open', { runId: half, segment: 1, spec: aSpec(), files });
    expect(readFileSync(join(folders().files(half), 'a.txt'), 'utf8')).toBe('a');
    await expect(open()).rejects.toMatchObject({ code: 'workspace-lost', remedy: 'give-up' });
    await expect(open()).rejects.toMatchObject({ code: 'workspace-lost' });
    expect(existsSync(rig.files(runId))).toBe(false);
    const log = new FileEventLog(join(rig.folder, 'log.jsonl'));
    expect((await log.last(`workspace-${runId}`))?.type).toBe('WorkspaceLost');
  });
});
