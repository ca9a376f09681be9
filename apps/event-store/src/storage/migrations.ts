import type { DatabaseSync } from '@photostructure/sqlite';
import { Misconfigured } from '#platform';

/**
 * One entry per schema version, applied in order, each in one transaction; an entry is never changed once released.
 *
 * `streams.base` is the first revision that a scavenge has kept. `events.position` is the place in `$all`;
 * `created` is in microseconds since 1970; a tombstone has the revision 2^53-1 here and 2^63-1 on the wire.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, base INTEGER NOT NULL DEFAULT 0);
   CREATE TABLE types (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
   CREATE TABLE events (
     position INTEGER PRIMARY KEY,
     stream INTEGER NOT NULL,
     revision INTEGER NOT NULL,
     type INTEGER NOT NULL,
     id BLOB NOT NULL,
     created INTEGER NOT NULL,
     json INTEGER NOT NULL,
     checksum INTEGER NOT NULL,
     metadata BLOB,
     data BLOB);
   CREATE UNIQUE INDEX events_by_revision ON events (stream, revision);
   CREATE INDEX events_by_type ON events (type, position);
   CREATE INDEX events_by_id ON events (stream, id);
   CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`,
];

/** Brings the schema up to this version. @throws Misconfigured when a newer one has written the database. */
export function migrate(database: InstanceType<typeof DatabaseSync>): void {
  const version = requireKnownSchema(database);
  MIGRATIONS.slice(version).forEach((sql, index) => {
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version=${version + index + 1}; COMMIT`);
  });
}

/** The schema's version. @throws Misconfigured when a newer version has written the database. */
export function requireKnownSchema(database: InstanceType<typeof DatabaseSync>): number {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > MIGRATIONS.length)
    throw new Misconfigured(
      `The data folder was written by a newer version (schema ${version}, this one knows ${MIGRATIONS.length}): start that version.`,
    );
  return version;
}
