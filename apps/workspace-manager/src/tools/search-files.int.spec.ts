import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { aSpec, Bench, finished, Rig } from '../../test/rig.js';
import { patternOfGlob } from './glob.js';

describe('searching files', () => {
  const rig = new Rig();
  let bench: Bench;
  const search = async (input: Record<string, string | number | boolean>) =>
    finished(await bench.call('search_files', input));

  beforeAll(async () => {
    const seeds = await rig.seed({
      'src/a.py': 'import os\nprint("Hello")\n',
      'src/deep/b.py': 'hello = 1\n',
      'notes.txt': 'hello there\n',
      '.git/config': 'hello\n',
      'many.txt': 'x\n'.repeat(500),
      'trap.txt': `${'a'.repeat(50)}!\n`,
    });
    bench = await new Bench(await rig.manager()).open(aSpec(), seeds);
    symlinkSync('/etc', join(rig.files(bench.runId), 'out'));
    await bench.bash('printf "hello\\0binary" >binary');
  });
  afterAll(() => rig.close());

  it('answers with path, number and line', async () => {
    expect(await search({ pattern: '^hello' })).toEqual({
      outcome: 'ok',
      text: 'notes.txt:1:hello there\nsrc/deep/b.py:1:hello = 1',
    });
    expect((await search({ pattern: 'HELLO', ignore_case: true, glob: '*.py' })).text).toBe(
      'src/a.py:2:print("Hello")\nsrc/deep/b.py:1:hello = 1',
    );
    expect((await search({ pattern: 'hello', path: 'src' })).text).toBe('src/deep/b.py:1:hello = 1');
    expect((await search({ pattern: 'there', path: 'notes.txt' })).text).toBe('notes.txt:1:hello there');
    expect((await search({ pattern: 'nowhere' })).text).toBe('No line matches.');
  });

  it('keeps to its limit, and to the workspace', async () => {
    expect((await search({ pattern: 'x', glob: 'many.txt', limit: 2 })).text).toBe(
      'many.txt:1:x\nmany.txt:2:x\n[… more than 2 lines match …]',
    );
    expect((await search({ pattern: 'root', path: 'out' })).outcome).toBe('error');
    expect((await search({ pattern: 'root:' })).text).toBe('No line matches.');
    expect((await search({ pattern: '(' })).text).toContain('no regular expression');
  });

  it('is ended when its pattern has no end, and holds nobody up meanwhile', async () => {
    const trapped = bench.call('search_files', { pattern: '^(a+)+$' }, { limitMs: 1_500 });
    expect((await search({ pattern: 'there' })).text).toBe('notes.txt:1:hello there');
    expect(finished(await trapped).outcome).toBe('timed-out');
  });

  it.each([
    ['*.py', 'src/deep/b.py', true],
    ['**/*.py', 'a.py', true],
    ['src/*.py', 'src/deep/b.py', false],
    ['src/**', 'src/deep/b.py', true],
    ['?.{py,txt}', 'a.txt', true],
    ['[!a].py', 'a.py', false],
    ['a+b.py', 'aab.py', false],
  ])('takes the glob %s for %s: %p', (glob, path, fits) => {
    expect(new RegExp(patternOfGlob(glob), 's').test(path)).toBe(fits);
  });
});
