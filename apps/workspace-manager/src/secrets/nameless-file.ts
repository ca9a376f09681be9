import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '#platform';
import { codeOf } from '../errors.js';

/** In memory where there is such a folder. */
const FOLDERS = ['/dev/shm', tmpdir()];

/** Gives `use` the descriptor of a file with this content that has no name: only those who inherit it can read it. */
export function withNamelessFile<T>(content: string, use: (descriptor: number) => T): T {
  const descriptor = create(FOLDERS);
  try {
    const bytes = Buffer.from(content);
    // At a place, so that whoever inherits the descriptor begins to read at the start.
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(descriptor, bytes, at, bytes.byteLength - at, at);
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function create([folder = '.', ...others]: readonly string[]): number {
  const path = join(folder, `baton-${newId()}`);
  try {
    const descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return descriptor;
  } catch (error) {
    if (others.length === 0 || !['ENOENT', 'EACCES', 'EROFS', 'ENOSPC'].includes(codeOf(error) ?? '')) throw error;
    return create(others);
  }
}

/** The variables as the entrance of a sandbox reads them. */
export const asEntries = (variables: Readonly<Record<string, string>>): string =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\0`)
    .join('');
