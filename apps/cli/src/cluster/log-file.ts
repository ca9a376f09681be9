import { appendFileSync, closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { writing } from './disk.js';

const MOST_BYTES = 10 * 1024 ** 2;
const TAIL_BYTES = 4096;

/** Opens a log for appending; one that has grown too large is put aside first, in the place of the one before. */
export function openLog(path: string, mostBytes = MOST_BYTES): number {
  return writing(path, () => {
    const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 };
    if (size > mostBytes) renameSync(path, `${path}.1`);
    return openSync(path, 'a', 0o600);
  });
}

/** The last lines of a log; empty when it cannot be read. */
export function lastLines(path: string, count: number): readonly string[] {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(TAIL_BYTES, size));
      readSync(file, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8').trimEnd().split('\n').slice(-count);
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}

/** One JSON line; a disk that is full must not take the supervisor down with it. */
export function appendLine(path: string, facts: object): void {
  try {
    appendFileSync(path, `${JSON.stringify(facts)}\n`);
  } catch {
    // What the line says is shown by `ps` as well.
  }
}
