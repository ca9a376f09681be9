import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { tools } from './places.mjs';

// System daemons live in sbin folders, which a person's PATH often leaves out.
const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin', tools];

/** The full path of a program, or undefined. */
export function find(program) {
  const folders = [...(process.env.PATH || '').split(delimiter).filter(Boolean), ...EXTRA_FOLDERS];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program to its end without a terminal, so that it cannot ask; its output is returned, not shown. */
export function run(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 10 * 60_000,
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  return { ok: status === 0, output: `${stdout || ''}${stderr || ''}${error ? error.message : ''}`.trim() };
}

/** The end of a program's output, for an error sentence. */
export const lastLines = (output, count = 15) => output.split('\n').slice(-count).join('\n');
