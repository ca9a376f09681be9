import { rmSync, statSync } from 'node:fs';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { writing } from './disk.js';

/**
 * The right to run a cluster on a data folder. The operating system holds the lock (by way of SQLite's file locks)
 * and takes it back when its owner dies, however it dies: a lock that nobody owns cannot be left behind.
 */
export class FolderLock {
  private constructor(
    private readonly path: string,
    private readonly database: DatabaseSyncInstance,
  ) {}

  /** Takes the lock, or answers undefined when another process holds it. */
  static take(path: string): FolderLock | undefined {
    for (;;) {
      const before = inode(path);
      const database = writing(path, () => new DatabaseSync(path));
      if (!lock(database)) {
        database.close();
        return undefined;
      }
      // A former owner may have removed the file between our opening and our locking it: then we hold nothing.
      const now = inode(path);
      if (now !== undefined && (before === undefined || before === now)) return new FolderLock(path, database);
      database.close();
    }
  }

  release(): void {
    rmSync(this.path, { force: true });
    this.database.close();
  }
}

function lock(database: DatabaseSyncInstance): boolean {
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (/locked|busy/i.test(String(error))) return false;
    throw error;
  }
}

const inode = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;
