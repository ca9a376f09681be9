import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Misconfigured } from '#platform';
import { DATABASE_FILE, type Database } from '../storage/database.js';

/** The file of events in a data folder; a file, such as a backup, is taken as it is. @throws Misconfigured */
export function databaseFileOf(folderOrFile: string): string {
  if (existsSync(folderOrFile) && statSync(folderOrFile).isFile()) return folderOrFile;
  const file = join(folderOrFile, DATABASE_FILE);
  if (!existsSync(file))
    throw new Misconfigured(`There are no events in ${folderOrFile}: name the data folder of an event store.`);
  return file;
}

/** Ends the read transaction too: closed with one, a connection would hold up checkpoints until it is collected. */
export function endReading(database: Database): void {
  if (database.isTransaction) database.exec('ROLLBACK');
  database.close();
}
