import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CallId } from '#contracts';
import { Blobs } from '#log';
import { until } from '#testing';
import { aSpec, Bench, finished, Rig } from '../test/rig.js';

describe('the tools of a workspace', () => {
  const rig = new Rig();
  let bench: Bench;
  let files: string;

  beforeAll(async () => {
    const seeds = await rig.seed({ 'data/a.txt': 'one\ntwo\nthree\n', 'run.sh': 'echo ran\n' });
    bench = await new Bench(await rig.manager()).open(aSpec(), seeds);
    files = rig.files(bench.runId);
  });
  afterAll(() => rig.close());

  it('run a command among the seeded files, with output and errors in order', async () => {
    const state = await bench.bash('pwd; wc -l data/a.txt; echo oops >&2; ./run.sh; echo $HOME');
    expect(finished(state)).toEqual({ outcome: 'ok', text: '/workspace\n3 data/a.txt\noops\nran\n/workspace\n' });
  });

  it('state an exit status that is not 0, and silence', async () => {
    expect(finished(await bench.bash('echo no; exit 3'))).toEqual({ outcome: 'error', text: 'no\n[exit status 3]' });
    expect(finished(await bench.bash('true'))).toEqual({ outcome: 'ok', text: '(no output)' });
  });

  it('refuse an input that is wrong without running anything', async () => {
    const { outcome, text } = finished(await bench.call('bash', { cmd: 'touch wrong' }));
    expect(outcome).toBe('rejected');
    expect(text).toContain('command');
    expect(finished(await bench.call('complete_item', { item_id: '1' })).outcome).toBe('rejected');
    expect(existsSync(join(files, 'wrong'))).toBe(false);
  });

  it('answer a call delivered five times at once, and once more later, with one execution', async () => {
    const callId = bench.nextId();
    const command = 'echo once >>ledger; sleep 0.2; cat ledger';
    const states = await Promise.all(Array.from({ length: 5 }, () => bench.bash(command, { callId })));
    const later = await bench.bash(command, { callId });
    for (const state of [...states, later]) expect(finished(state).text).toBe('once\n');
    const { calls } = bench.manager.workspaces.readJournal({ runId: bench.runId });
    expect(calls.find((call) => call.callId === callId)).toMatchObject({ executions: 1, state: 'finished' });
  });

  it('refuse a known call id with another input', async () => {
    const callId = bench.nextId();
    await bench.bash('true', { callId });
    await expect(bench.bash('false', { callId })).rejects.toMatchObject({ code: 'call-mismatch', remedy: 'tell' });
  });

  it('answer running when the wait is over, and the result to whoever asks later', async () => {
    const callId = bench.nextId();
    const { runId, segment, manager } = bench;
    const go = join(files, 'go');
    const first = await bench.bash('until test -e go; do sleep 0.02; done; echo gone', { callId, waitMs: 10 });
    expect(first.state).toBe('running');
    const asking = manager.workspaces.askCall({ runId, segment, callId, waitMs: 30_000 });
    writeFileSync(go, '');
    expect(finished(await asking).text).toBe('gone\n');
  });

  it('know nothing of a call that never arrived', async () => {
    const { runId, segment, manager } = bench;
    const state = await manager.workspaces.askCall({ runId, segment, callId: CallId.parse('999-0'), waitMs: 1_000 });
    expect(state).toEqual({ state: 'absent' });
  });

  it('stop a command and its children by the first signal', async () => {
    const callId = bench.nextId();
    const { runId, segment, manager } = bench;
    await bench.bash('echo begun; sleep 300 & touch has-begun; sleep 301', { callId, waitMs: 0 });
    await until(() => existsSync(join(files, 'has-begun')));
    const state = await manager.workspaces.stopCall({ runId, segment, callId, because: 'cancelled' });
    expect(finished(state)).toMatchObject({ outcome: 'cancelled' });
    expect(finished(state).text).toMatch(/^begun\n(?:.*\n)?\[stopped: the call was cancelled\]\n\[exit status 143\]$/s);
  });

  it('insist when a command does not listen', async () => {
    const state = await bench.bash('trap "" TERM; echo deaf; while :; do sleep 1; done', { limitMs: 300 });
    expect(finished(state)).toMatchObject({ outcome: 'timed-out' });
    expect(finished(state).text).toContain('[stopped at the time limit of 0.3 s]');
  });

  it('let a command say goodbye before it ends', async () => {
    const callId = bench.nextId();
    const { runId, segment, manager } = bench;
    const polite = 'trap "echo bye; exit 7" TERM; echo hi; touch listens; while :; do sleep 0.05; done';
    await bench.bash(polite, { callId, waitMs: 0 });
    await until(() => existsSync(join(files, 'listens')));
    const state = await manager.workspaces.stopCall({ runId, segment, callId, because: 'cancelled' });
    expect(finished(state).text).toMatch(/^hi\n(?:Terminated\n)?bye\n/);
  });

  it('show head and tail of a long output and store the whole', async () => {
    const state = await bench.bash('seq 1 100000', { outputBytes: 2_000 });
    const { text } = finished(state);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2_000);
    expect(text).toMatch(/^1\n2\n.*\[… \d+ of 588895 bytes left out …\].*\n100000\n$/s);
    const whole = state.state === 'finished' ? state.whole : undefined;
    expect(whole?.bytes).toBe(588_895);
    expect((await new Blobs(rig.log).get(whole?.digest ?? '')).toString()).toMatch(/^1\n.*\n100000\n$/s);
  });

  it('show no more than the log and the bus take, whatever is printed', async () => {
    const command = "head -c 400000 /dev/zero | tr '\\0' '\\001'";
    const state = await bench.bash(command, { outputBytes: 500_000 });
    expect(finished(state).outcome).toBe('ok');
    expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThan(800_000);
    expect(state).toMatchObject({ whole: { bytes: 400_000 } });
  });

  it('let a command go on whose output is beyond the cap, and say that the rest is lost', async () => {
    const { outcome, text } = finished(
      await bench.bash('head -c 12000000 /dev/zero | tr "\\0" x; echo >&2; touch went-on'),
    );
    expect(outcome).toBe('ok');
    expect(text).toContain('[output longer than 8388608 bytes: the rest is lost]');
    expect(existsSync(join(files, 'went-on'))).toBe(true);
  });

  it('replace bytes that are no text', async () => {
    expect(finished(await bench.bash("printf 'a\\377b\\n'")).text).toBe('a\uFFFDb\n');
  });

  it('read a file whole or by lines', async () => {
    expect(finished(await bench.call('read_file', { path: 'data/a.txt' })).text).toBe('one\ntwo\nthree\n');
    const part = await bench.call('read_file', { path: '/workspace/data/a.txt', offset: 1, limit: 1 });
    expect(finished(part).text).toBe('two\n');
  });

  it('write a file that commands may change, in folders that are made for it', async () => {
    const state = await bench.call('write_file', { path: 'new/deep/b.txt', content: 'b\n' });
    expect(finished(state)).toEqual({ outcome: 'ok', text: 'Wrote 2 bytes to new/deep/b.txt.' });
    const after = await bench.bash('echo c >>new/deep/b.txt && touch new/deep/d && cat new/deep/b.txt');
    expect(finished(after)).toEqual({ outcome: 'ok', text: 'b\nc\n' });
  });

  it('keep the mode of a file that is written again', async () => {
    await bench.call('write_file', { path: 'run.sh', content: 'echo again\n' });
    expect(statSync(join(files, 'run.sh')).mode & 0o777).toBe(0o755);
    expect(finished(await bench.bash('./run.sh')).text).toBe('again\n');
  });

  it('edit what occurs once, and say how often it occurs otherwise', async () => {
    await bench.call('write_file', { path: 'e.txt', content: 'a b a' });
    const twice = finished(await bench.call('edit_file', { path: 'e.txt', old_text: 'a', new_text: 'x' }));
    expect(twice).toMatchObject({ outcome: 'error', text: expect.stringContaining('occurs 2 times') });
    const once = finished(await bench.call('edit_file', { path: 'e.txt', old_text: 'b', new_text: '$& $1' }));
    expect(once.outcome).toBe('ok');
    expect(readFileSync(join(files, 'e.txt'), 'utf8')).toBe('a $& $1 a');
  });

  it('list files to a depth', async () => {
    await bench.call('write_file', { path: 'tree/x/y/z', content: '' });
    expect(finished(await bench.call('list_files', { path: 'tree', depth: 2 })).text).toBe('x/\nx/y/');
  });

  it.each(['../../../../etc/passwd', '/etc/passwd', 'data/../../holder', 'out/passwd', 'away'])(
    'refuse %s, which leads out of the workspace',
    async (path) => {
      if (!existsSync(join(files, 'out'))) {
        symlinkSync('/etc', join(files, 'out'));
        symlinkSync('../../../journal.db', join(files, 'away'));
      }
      for (const call of [bench.call('read_file', { path }), bench.call('write_file', { path, content: 'x' })]) {
        const { outcome, text } = finished(await call);
        expect(outcome).toBe('error');
        expect(text).toMatch(/outside of the workspace|out of the workspace/);
      }
    },
  );

  it('follow links within the workspace as the commands see them', async () => {
    await bench.bash('ln -s /workspace/data here; ln -s here/a.txt there');
    expect(finished(await bench.call('read_file', { path: 'there' })).text).toBe('one\ntwo\nthree\n');
  });

  it('never leave the workspace while a command swaps folders for links', async () => {
    const callId = bench.nextId();
    const swap = 'mkdir -p s; echo in >s/hostname; while :; do mv s t; ln -s /etc s; rm s; mv t s; done';
    await bench.bash(swap, { callId, waitMs: 50 });
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const { outcome, text } = finished(await bench.call('read_file', { path: 's/hostname' }));
      expect(outcome === 'ok' ? text : 'in\n').toBe('in\n');
    }
    const { runId, segment, manager } = bench;
    await manager.workspaces.stopCall({ runId, segment, callId, because: 'cancelled' });
  });
});
