import { systemClock } from '#platform';
import { openStorage } from '../storage/database.js';
import { EventLog } from '../storage/event-log.js';
import { type ScavengeReport, Scavenger } from '../storage/scavenge.js';
import { databaseFileOf } from './database-file.js';

/**
 * Scavenges the data folder of a server that is not running; a running one is asked by `POST /admin/scavenge`.
 * @throws FolderInUse while a server has the folder; Misconfigured when there are no events in it; StorageFailed
 */
export async function scavengeFolder(folder: string): Promise<ScavengeReport> {
  databaseFileOf(folder);
  const opened = openStorage({ folder, sync: 'full' });
  try {
    const now = () => systemClock.now();
    const log = new EventLog(opened.database, now, opened.mark);
    return await new Scavenger(opened.database, log, now).run();
  } finally {
    opened.close();
  }
}
