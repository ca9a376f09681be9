import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallState } from '#contracts';
import { Blobs } from '#log';
import { Bench, finished, Rig } from '../../test/rig.js';
import { until } from '../../test/until.js';

const idIn = (state: CallState): string => /id is (\S+)\. /.exec(finished(state).text)?.[1] ?? '';

describe('a command in the background', () => {
  const rig = new Rig();
  let bench: Bench;
  const file = (name: string): string => join(rig.files(bench.runId), name);
  const start = (command: string) => bench.call('bash', { command, background: true });
  /** A group can be removed once its dead processes are gone: what is left at first is tidied away. */
  const noGroups = (isTheirs: (name: string) => boolean) =>
    until(async () => {
      await bench.manager.tidy();
      return !bench.manager.means.groups?.names().some(isTheirs);
    });
  const check = (id: string, seconds = 0) => bench.call('check_command', { command_id: id, wait_seconds: seconds });

  beforeAll(async () => {
    bench = await new Bench(await rig.manager()).open();
  });
  afterAll(() => rig.close());

  it('is answered at once, goes on, and is told about while it runs and after', async () => {
    const id = idIn(await start('echo begun; until test -e go; do sleep 0.05; done; echo done; exit 3'));
    await until(async () => finished(await check(id)).text.startsWith('begun\n'));
    // The segment that has started it is over; the next one asks for it.
    bench.segment += 1;
    expect(finished(await check(id)).text).toMatch(/^begun\n\[the command still runs, for [\d.]+ s now\]$/);
    const waiting = check(id, 60);
    writeFileSync(file('go'), '');
    expect(finished(await waiting)).toMatchObject({
      outcome: 'ok',
      text: expect.stringMatching(/^begun\ndone\n\[exit status 3\]\n\[the command has ended, after [\d.]+ s\]$/),
    });
    expect(await check(id)).toMatchObject({ state: 'finished', outcome: 'ok' });
  });

  it('is stopped with all that it started', async () => {
    const id = idIn(await start('echo up; sleep 300 & sleep 301'));
    const { outcome, text } = finished(await bench.call('stop_command', { command_id: id }));
    expect(outcome).toBe('ok');
    expect(text).toContain('[stopped: the call was cancelled]');
    expect(finished(await bench.call('stop_command', { command_id: id })).text).toBe(text);
    await noGroups((name) => name.endsWith(`.${id}`));
  });

  it('shows head and tail, and its whole output is stored once it has ended', async () => {
    const state = await bench.call('bash', { command: 'seq 1 20000', background: true }, { outputBytes: 1_000 });
    const found = await bench.call(
      'check_command',
      { command_id: idIn(state), wait_seconds: 60 },
      { outputBytes: 1_000 },
    );
    expect(finished(found).text).toContain('bytes left out');
    const whole = found.state === 'finished' ? found.whole : undefined;
    expect(whole).toMatchObject({ bytes: 108_894 });
    expect((await new Blobs(rig.log).get(whole?.digest ?? '')).toString()).toMatch(/^1\n2\n[^]*20000\n$/);
  });

  it('is not found under another id', async () => {
    expect(finished(await check('77-0'))).toEqual({
      outcome: 'error',
      text: 'There is no command 77-0 in the background.',
    });
    expect(finished(await check('../../etc')).outcome).toBe('error');
  });

  it('is one of eight at most', async () => {
    const other = await new Bench(bench.manager).open();
    const atOnce = await Promise.all(
      Array.from({ length: 12 }, () => other.call('bash', { command: 'sleep 300', background: true })),
    );
    const states = atOnce.filter((state) => finished(state).outcome === 'ok');
    expect(states).toHaveLength(8);
    const ninth = finished(await other.call('bash', { command: 'touch ninth', background: true }));
    expect(ninth).toMatchObject({ outcome: 'error', text: expect.stringContaining('stop one first') });
    expect(existsSync(join(rig.files(other.runId), 'ninth'))).toBe(false);
    await rig.ended(other.runId);
    await other.manager.tidy();
    await noGroups((name) => name.startsWith(other.runId));
    await other.open();
    const [first] = states;
    const ended = await other.call('check_command', { command_id: first === undefined ? '' : idIn(first) });
    expect(finished(ended).text).toContain('stopped: the call was cancelled');
  });

  it('ends when the run has ended, although nobody has said so', async () => {
    const other = await new Bench(bench.manager).open();
    const id = idIn(await other.call('bash', { command: 'sleep 300', background: true }));
    await rig.ended(other.runId);
    await other.manager.tidy();
    await other.open();
    expect(finished(await other.call('check_command', { command_id: id })).text).toContain('has ended');
  });
});
