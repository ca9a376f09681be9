import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const LOADER = resolve('dist/load-bundle.mjs');
const MEMORY = '--max-old-space-size=1024';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-e2e-bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** @returns what a new process wrote */
async function node(program: string, ...flags: string[]): Promise<string> {
  const words = [...flags, '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return stdout.trim();
}

const inNode = (use: string, file: string, ...flags: string[]): Promise<string> => {
  const url = JSON.stringify(pathToFileURL(file).href);
  const loader = JSON.stringify(pathToFileURL(LOADER).href);
  return node(`import * as bundles from ${loader}; const url = new URL(${url}); ${use}`, ...flags);
};
const run = (file: string): Promise<string> => inNode('await bundles.loadBundle(url).main();', file);
const makeCache = (file: string): Promise<string> => inNode('await bundles.cacheBundle(url);', file);
const isCached = (file: string, ...flags: string[]): Promise<string> =>
  inNode('console.log(bundles.isCached(url));', file, ...flags);

/** A bundle that says a word, and whether it found itself. */
function write(word: string): string {
  const file = join(folder, 'main.cjs');
  writeFileSync(
    file,
    `const { basename } = require('node:path');
exports.main = async () => {
  const { EOL } = require('node:os');
  console.log(${JSON.stringify(word)}, basename(new URL(bundleUrl).pathname), EOL.length);
};
exports.loadTheRest = async () => [];
`,
  );
  return file;
}

it('is compiled ahead for every process, with the flags that the process has', async () => {
  const entries = readdirSync('dist/entries/apps', { recursive: true, encoding: 'utf8' });
  const bundles = entries.filter((name) => name.endsWith('.js')).map((name) => name.replace(/js$/, 'cjs'));
  expect(bundles).toEqual(expect.arrayContaining(['cli/src/main.cjs', 'segment-runner/src/child/main.cjs']));
  const flagsOf = (name: string): string[] => (name.includes('/child/') ? [MEMORY] : []);
  const cached = await Promise.all(bundles.map((name) => isCached(resolve('dist/apps', name), ...flagsOf(name))));
  expect(bundles.filter((_, place) => cached[place] !== 'true')).toEqual([]);
});

it('runs from what was compiled, and the same without it', async () => {
  const file = write('first');
  expect(await run(file)).toBe('first main.cjs 1');
  expect(await isCached(file)).toBe('false');
  await makeCache(file);
  expect(await isCached(file)).toBe('true');
  expect(await run(file)).toBe('first main.cjs 1');
});

it.each([
  ['compiled from another text', (file: string) => writeFileSync(file, `${readFileSync(file, 'utf8')}// longer\n`)],
  ['torn', (file: string) => truncateSync(`${file}.cache`, 200)],
  [
    'with a flaw that V8 would not see',
    (file: string) => {
      const bytes = readFileSync(`${file}.cache`);
      const middle = bytes.length >> 1;
      bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
      writeFileSync(`${file}.cache`, bytes);
    },
  ],
  ['empty', (file: string) => truncateSync(`${file}.cache`, 0)],
  ['of no use', (file: string) => writeFileSync(`${file}.cache`, 'x'.repeat(10_000))],
])('compiles anew what lies there %s', async (_, harm) => {
  const file = write('first');
  await makeCache(file);
  harm(file);
  expect(await isCached(file)).toBe('false');
  expect(await run(file)).toBe('first main.cjs 1');
});

it('runs the text that is there, also where one of the same length was compiled', async () => {
  await makeCache(write('first'));
  const file = write('other');
  expect(await isCached(file)).toBe('false');
  expect(await run(file)).toBe('other main.cjs 1');
});

it('compiles anew in a process with other flags of memory', async () => {
  const file = write('first');
  await makeCache(file);
  expect(await isCached(file, '--max-old-space-size=300')).toBe('false');
});

it('fails with what its program failed of', async () => {
  const file = join(folder, 'main.cjs');
  writeFileSync(file, "exports.main = async () => { throw new Error('no bus'); };\n");
  await expect(run(file)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('no bus') });
});
