import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Obstacle } from '../errors.js';

/** The folder that holds package.json, from the sources as well as from the build. */
export const root = upTo(dirname(fileURLToPath(import.meta.url)));

function upTo(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : upTo(dirname(folder));
}

/** A built entry of an app. @throws Obstacle when it was not built. */
export function builtApp(name: string, entry = 'main'): string {
  const file = join(root, 'dist', 'apps', name, 'src', `${entry}.js`);
  if (existsSync(file)) return file;
  throw new Obstacle(`${name} is not built (${file} is missing): run \`npm run setup\`.`);
}

// Debian installs nats-server into a folder that a person's PATH often leaves out; set-up downloads to .tools.
const MORE_FOLDERS = [join(root, '.tools'), '/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** @throws Obstacle when the program is not on this machine. */
export function findProgram(name: string, searchPath: string): string {
  const found = [...searchPath.split(delimiter).filter(Boolean), ...MORE_FOLDERS]
    .map((folder) => join(folder, name))
    .find(isExecutable);
  if (found !== undefined) return found;
  throw new Obstacle(`${name} is missing: run \`npm run setup\`, which installs it or says how to.`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
