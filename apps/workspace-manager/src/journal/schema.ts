import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { WorkspaceSpec } from '#contracts';

const CALLS = `
  CREATE TABLE IF NOT EXISTS calls (
    run_id TEXT NOT NULL, call_id TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 1, segment INTEGER NOT NULL,
    tool TEXT NOT NULL, input_digest TEXT NOT NULL, limit_ms REAL NOT NULL, output_bytes INTEGER NOT NULL,
    started_at INTEGER NOT NULL, boot_id TEXT NOT NULL, state TEXT NOT NULL, ended_at INTEGER,
    executions INTEGER NOT NULL DEFAULT 0, ending TEXT, reason TEXT, stopping TEXT, edit TEXT,
    PRIMARY KEY (run_id, call_id, attempt)
  );
  CREATE INDEX IF NOT EXISTS running_calls ON calls (state) WHERE state = 'running';
`;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS workspaces (
    run_id TEXT PRIMARY KEY, state TEXT NOT NULL, segment INTEGER NOT NULL, spec TEXT NOT NULL, external TEXT
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS background (
    run_id TEXT NOT NULL, call_id TEXT NOT NULL, attempt INTEGER NOT NULL, stopping TEXT, ending TEXT,
    PRIMARY KEY (run_id, call_id, attempt)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS servers (
    run_id TEXT NOT NULL, server TEXT NOT NULL, ended TEXT, PRIMARY KEY (run_id, server)
  ) WITHOUT ROWID;
  ${CALLS}
`;

/** What a row without a version was written as: before calls had attempts and workspaces had external tools. */
const COLUMNS_OF_VERSION_0 = `run_id, call_id, segment, tool, input_digest, limit_ms, output_bytes, started_at, boot_id,
  state, ended_at, executions, ending, reason, stopping, edit`;
const VERSION = 1;

/** Brings a journal of any earlier version to this one, all or nothing. */
export function prepareSchema(db: DatabaseSyncInstance): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    if (isThere(db, 'calls') && versionOf(db) < VERSION) fromVersion0(db);
    db.exec(SCHEMA);
    db.exec(`PRAGMA user_version = ${VERSION}`);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function fromVersion0(db: DatabaseSyncInstance): void {
  // The key of a table cannot be changed, so its rows move to a new one.
  db.exec(`
    DROP INDEX IF EXISTS running_calls;
    ALTER TABLE calls RENAME TO calls_0;
    ${CALLS}
    INSERT INTO calls (${COLUMNS_OF_VERSION_0}) SELECT ${COLUMNS_OF_VERSION_0} FROM calls_0;
    DROP TABLE calls_0;
    ALTER TABLE workspaces ADD COLUMN external TEXT;
  `);
  const save = db.prepare('UPDATE workspaces SET spec = ? WHERE run_id = ?');
  for (const row of db.prepare('SELECT run_id, spec FROM workspaces').all() as Record<string, string>[]) {
    const { run_id: runId = '', spec = '{}' } = row;
    save.run(JSON.stringify(WorkspaceSpec.parse(JSON.parse(spec))), runId);
  }
}

const isThere = (db: DatabaseSyncInstance, table: string): boolean =>
  db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table) !== undefined;

function versionOf(db: DatabaseSyncInstance): number {
  const row = db.prepare('PRAGMA user_version').get() as { user_version: number } | undefined;
  return row?.user_version ?? 0;
}
