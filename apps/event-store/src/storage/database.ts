import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { BatonError, Misconfigured, messageOf } from '#platform';
import { Mark } from './mark.js';
import { migrate } from './migrations.js';

export interface StorageOptions {
  /** The data folder; absent: everything lives in memory and is gone at the end. */
  readonly folder?: string | undefined;
  /** `full`: a commit is on the disk before it is acknowledged. `normal`: a power cut may lose the last moments. */
  readonly sync: 'full' | 'normal';
}

export type Database = InstanceType<typeof DatabaseSync>;

export interface Opened {
  readonly database: Database;
  readonly file: string | undefined;
  /** Only where an acknowledged event is on the disk: otherwise a power cut may rightly take the end away. */
  readonly mark: Mark | undefined;
  close(): void;
}

/** Another server has the data folder open. */
class FolderInUse extends BatonError {
  readonly code = 'folder-in-use';
  readonly remedy = 'tell';
}

/** The file system refused, or the database file cannot be read: the sentence says which. */
export class StorageFailed extends BatonError {
  readonly code = 'storage-failed';
  readonly remedy = 'retry';
}

/** All events are in this file of the data folder; a backup is such a file. */
export const DATABASE_FILE = 'events.sqlite';

export function openStorage({ folder, sync }: StorageOptions): Opened {
  if (folder === undefined) {
    const database = new DatabaseSync(':memory:');
    migrate(database);
    return { database, file: undefined, mark: undefined, close: () => database.close() };
  }
  const file = join(prepareFolder(folder), DATABASE_FILE);
  const lock = lockFolder(folder);
  try {
    const mark = sync === 'full' ? new Mark(folder) : undefined;
    const database = openFile(file, sync);
    return {
      database,
      file,
      mark,
      close: () => {
        settle(database);
        database.close();
        mark?.close();
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** Moves what is in the write-ahead file into the database, so that a folder at rest is one file of events. */
function settle(database: Database): void {
  try {
    database.exec('PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // The write-ahead file keeps it: the next start reads it there.
  }
}

function prepareFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    return realpathSync(folder);
  } catch (error) {
    throw new Misconfigured(`The data folder ${folder} cannot be made (${messageOf(error)}): name one that can.`);
  }
}

/**
 * The operating system gives an SQLite file lock back when its holder dies, however it dies:
 * an exclusive transaction on a file of its own is a lock that nobody passes and no crash leaves behind.
 */
function lockFolder(folder: string): Database {
  const file = join(folder, 'lock.sqlite');
  let lock: Database | undefined;
  try {
    lock = new DatabaseSync(file);
    lock.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (/locked|busy/i.test(messageOf(error)))
      throw new FolderInUse(`The data folder ${folder} is in use by another server: stop it or choose another folder.`);
    throw new StorageFailed(`The data folder ${folder} cannot be written (${messageOf(error)}).`, { cause: error });
  }
}

function openFile(file: string, sync: StorageOptions['sync']): Database {
  let database: Database | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec(
      `PRAGMA busy_timeout=5000; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=${sync};
       PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864;
       PRAGMA wal_autocheckpoint=2000; PRAGMA cell_size_check=ON`,
    );
    migrate(database);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof BatonError) throw error;
    throw new StorageFailed(`The database ${file} cannot be opened (${messageOf(error)}).`, { cause: error });
  }
}
