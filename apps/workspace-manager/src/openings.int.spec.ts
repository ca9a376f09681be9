import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { streams } from '#contracts';
import { until } from '#testing';
import { aRun, aSpec, Bench, finished, Rig } from '../test/rig.js';

describe('opening a workspace', () => {
  const rig = new Rig();
  afterAll(() => rig.close());

  it('has one holder when two managers are asked at the same time', async () => {
    const [one, two] = [await rig.manager('one'), await rig.manager('two')];
    const request = { runId: aRun(), segment: 1, spec: aSpec(), files: [] };
    const answers = await Promise.all([one, two, one, two].map((manager) => manager.workspaces.open(request)));
    expect(new Set(answers.map((answer) => answer.holder)).size).toBe(1);
    expect(answers.filter((answer) => answer.created)).toHaveLength(1);
    const events: string[] = [];
    for await (const event of rig.log.read(streams.workspace(request.runId))) events.push(event.type);
    expect(events).toEqual(['WorkspaceCreated']);
    const folders = ['one', 'two'].filter((data) => existsSync(rig.files(request.runId, data)));
    expect(folders).toHaveLength(1);
  });

  it('keeps the files when it is repeated by the next segment', async () => {
    const bench = await new Bench(await rig.manager()).open(aSpec(), await rig.seed({ 'a.txt': 'a' }));
    await bench.bash('echo b >a.txt');
    bench.segment = 2;
    await bench.open(aSpec(), await rig.seed({ 'a.txt': 'a' }));
    expect(readFileSync(join(rig.files(bench.runId), 'a.txt'), 'utf8')).toBe('b\n');
    await expect(bench.call('read_file', { path: 'a.txt' }, { segment: 1 })).rejects.toMatchObject({ code: 'fenced' });
    bench.segment = 1;
    await expect(bench.open()).rejects.toMatchObject({ code: 'fenced', remedy: 'stand-down' });
    await rig.close();
  });

  it.each(['../out', 'a/../../out', '/etc/out', 'a//b', ''])('refuses the seed file %p', async (path) => {
    const other = new Rig();
    const manager = await other.manager();
    const [file] = await other.seed({ x: 'x' });
    const files = file ? [{ ...file, path }] : [];
    const request = { runId: aRun(), segment: 1, spec: aSpec(), files };
    await expect(manager.workspaces.open(request)).rejects.toMatchObject({ code: 'file-refused' });
    expect(existsSync(other.files(request.runId))).toBe(false);
    expect(readdirSync(other.folder).toSorted()).toEqual(['data', 'log.jsonl']);
    await other.close();
  });

  it('ends what runs when its run has ended, keeps the files, and can be opened again', async () => {
    const other = new Rig();
    const manager = await other.manager();
    const bench = await new Bench(manager).open();
    const callId = bench.nextId();
    await bench.bash('echo kept >begins; mv begins kept; sleep 300', { callId, waitMs: 0 });
    await until(() => existsSync(join(other.files(bench.runId), 'kept')));
    await other.ended(bench.runId);
    await manager.tidy();
    await manager.tidy();
    await expect(bench.bash('true')).rejects.toMatchObject({ code: 'workspace-not-open', remedy: 'retry' });
    bench.segment = 2;
    await bench.open();
    const { runId } = bench;
    const state = await manager.workspaces.askCall({ runId, segment: 2, callId, waitMs: 0 });
    expect(finished(state).outcome).toBe('cancelled');
    expect(finished(await bench.bash('cat kept')).text).toBe('kept\n');
    await other.close();
  });

  it('is refused with the way out where no sandbox can be had', async () => {
    const other = new Rig();
    const bare = await other.manager('data', { path: '/nowhere' });
    const request = { runId: aRun(), segment: 1, spec: aSpec(), files: [] };
    await expect(bare.workspaces.open(request)).rejects.toMatchObject({
      code: 'sandbox-unavailable',
      message: expect.stringMatching(/it is not installed.*BATON_ALLOW_UNSANDBOXED=1/),
    });
    await other.close();
  });

  it('works without a sandbox when that was allowed: the tools, the limits, the stop', async () => {
    const other = new Rig();
    const programs = join(other.folder, 'programs');
    mkdirSync(programs);
    for (const name of ['nice', 'timeout', 'tee', 'env', 'bash', 'sync'])
      symlinkSync(`/usr/bin/${name}`, join(programs, name));
    const manager = await other.manager('data', { path: programs, allowUnsandboxed: true });
    expect(manager.means.sentence).toContain('WITHOUT a sandbox');
    const bench = await new Bench(manager).open();
    expect(finished(await bench.bash('pwd; exit 2'))).toEqual({
      outcome: 'error',
      text: `${other.files(bench.runId)}\n[exit status 2]`,
    });
    expect(finished(await bench.bash('sleep 300 & sleep 300', { limitMs: 200 })).outcome).toBe('timed-out');
    await other.close();
  });
});
