import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { backup, DatabaseSync } from '@photostructure/sqlite';
import { BatonError, Misconfigured, messageOf } from '#platform';
import { databaseFileOf, endReading } from './database-file.js';

/** The copy could not be made; no file with its name is there. */
class BackupFailed extends BatonError {
  readonly code = 'backup-failed';
  readonly remedy = 'tell';
}

export interface BackupReport {
  readonly file: string;
  readonly bytes: number;
  /** The position of the last event in the copy. */
  readonly position: number;
  readonly ms: number;
}

/** Pages that are copied between two looks at the rest of the world. */
const PAGES_AT_A_TIME = 256;

/**
 * Copies everything that was committed when it began into one new file, while a server may go on writing. To restore,
 * put the file as `events.sqlite` into an empty folder and start with that folder.
 *
 * It is SQLite's backup on a connection of its own that holds a read transaction: it copies in the background, sees one
 * moment, and is not started again by every write, as it is without the transaction. (`VACUUM INTO` would give a
 * smaller file, but holds the thread until it is done.) The name is there only once the file is whole and on the disk.
 *
 * @param source the data folder of a running or stopped server.
 * @throws Misconfigured when there is no such folder or the file exists; BackupFailed
 */
export async function backUp(source: string, file: string): Promise<BackupReport> {
  const from = databaseFileOf(source);
  const to = resolve(file);
  if (existsSync(to)) throw new Misconfigured(`${to} exists already: name a new file for the backup.`);
  const part = `${to}.part`;
  const started = performance.now();
  try {
    rmSync(part, { force: true });
    const position = await copy(from, part);
    force(part);
    renameSync(part, to);
    force(dirname(to));
    return { file: to, bytes: statSync(to).size, position, ms: Math.round(performance.now() - started) };
  } catch (error) {
    rmSync(part, { force: true });
    throw new BackupFailed(`The backup ${to} could not be written (${messageOf(error)}).`, { cause: error });
  }
}

async function copy(from: string, part: string): Promise<number> {
  const database = new DatabaseSync(from, { readOnly: true });
  try {
    database.exec('PRAGMA busy_timeout=5000; BEGIN');
    const { last } = database.prepare('SELECT max(position) AS last FROM events').get() as { last: number | null };
    await backup(database, part, { rate: PAGES_AT_A_TIME });
    return last ?? 0;
  } finally {
    endReading(database);
  }
}

function force(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
