import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { lastLines, run } from './commands.mjs';
import { inRoot, root } from './places.mjs';
import { SetupError, say } from './say.mjs';

const STAMP = inRoot('node_modules', '.baton-lock-hash');

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .digest('hex');

/** Whether node_modules was made from this very package-lock.json. */
export function dependenciesMatch() {
  try {
    return readFileSync(STAMP, 'utf8') === lockHash();
  } catch {
    return false;
  }
}

export function ensureDependencies() {
  if (dependenciesMatch()) return;
  if (!installedByHand()) {
    if (existsSync(inRoot('node_modules')) && lstatSync(inRoot('node_modules')).isSymbolicLink()) {
      throw new SetupError(
        'node_modules is a symbolic link whose content does not match package-lock.json: run `npm ci` where it points to, or remove the link.',
      );
    }
    say('installing the dependencies that package-lock.json names (npm ci) …');
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const { ok, output } = run(npm, ['ci', '--no-audit', '--no-fund'], { cwd: root, env: outsideNpm() });
    if (!ok)
      throw new SetupError(`\`npm ci\` failed, see below; check the network and try again.\n${lastLines(output)}`);
  }
  writeFileSync(STAMP, lockHash());
}

/** npm's own list of what it installed says the same as the lock file: somebody ran `npm ci` already. */
function installedByHand() {
  try {
    const wanted = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8')).packages;
    const there = JSON.parse(readFileSync(inRoot('node_modules', '.package-lock.json'), 'utf8')).packages;
    const same = (path) => there[path] && there[path].version === wanted[path].version;
    return (
      Object.keys(wanted).every((path) => path === '' || same(path) || (!there[path] && wanted[path].optional)) &&
      Object.keys(there).every((path) => wanted[path])
    );
  } catch {
    return false;
  }
}

/** An `npm ci` started from inside an npm script must not inherit that script's settings. */
function outsideNpm() {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(lifecycle|package|command|execpath|config_(global|prefix|local_prefix))/.test(name),
    ),
  );
}
