import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { newId } from '#platform';
import { codeOf } from './errors.js';

/** The manager's name for good: it is in the data folder, with the files that it answers for. */
export function holderId(file: string): string {
  try {
    const known = readFileSync(file, 'utf8').trim();
    if (known !== '') return known;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const id = newId();
  const handle = openSync(`${file}.new`, 'w');
  writeSync(handle, `${id}\n`);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(`${file}.new`, file);
  return id;
}
