import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { lastLines, run } from './commands.mjs';
import { inRoot, root } from './places.mjs';
import { SetupError, say } from './say.mjs';

const STAMP = inRoot('dist', '.baton-sources');
const BUNDLE = inRoot('scripts', 'bundle.mjs');
/** How the files end that are made of a source. */
const BUILT = /\.(?:js(?:\.map)?|cjs(?:\.cache)?)$/;
const SETTINGS = [
  'scripts/bundle.mjs',
  'scripts/load-bundle.mjs',
  'package.json',
  'package-lock.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Whether the build was made from the sources as they are now (by name, size and time of each file). */
export function buildIsCurrent() {
  try {
    return readFileSync(STAMP, 'utf8') === fingerprint();
  } catch {
    return false;
  }
}

export function ensureBuild() {
  const now = fingerprint();
  if (buildIsCurrent()) return;
  say(existsSync(STAMP) ? 'the sources have changed; building …' : 'building …');
  step([inRoot('node_modules', '@nestjs', 'cli', 'bin', 'nest.js'), 'build', 'gateway']);
  removeOrphans();
  step([BUNDLE]);
  mkdirSync(inRoot('dist'), { recursive: true });
  writeFileSync(STAMP, now);
}

function step(words) {
  const { ok, output } = run(process.execPath, words, { cwd: root });
  if (!ok) throw new SetupError(`the build failed, see below.\n${lastLines(output, 30)}`);
}

/** Incremental compilation never removes what it once wrote: a source that is gone must not stay in the build. */
function removeOrphans() {
  const built = ['apps', 'libs', 'bench', 'chaos'].flatMap((folder) => filesIn(inRoot('dist', folder)));
  for (const file of built.filter((name) => BUILT.test(name))) {
    const source = inRoot(relative(inRoot('dist'), file).replace(BUILT, '.ts'));
    if (!existsSync(source)) rmSync(file);
  }
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of [...sources(), ...SETTINGS.map((name) => inRoot(name))]) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function sources() {
  const apps = ['apps', 'libs']
    .map((folder) => inRoot(folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { withFileTypes: true }).map(({ name }) => join(folder, name, 'src')));
  return [...apps, ...['bench', 'chaos', 'simulation'].map((folder) => inRoot(folder))]
    .flatMap(filesIn)
    .filter((file) => !file.endsWith('.spec.ts'))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}
