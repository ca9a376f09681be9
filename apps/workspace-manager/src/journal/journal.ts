import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import type { RunId } from '#contracts';
import { Misconfigured, messageOf, Unavailable } from '#platform';
import type {
  BackgroundCommand,
  BackgroundStopping,
  CallEnd,
  CallKey,
  CallStart,
  EditDigests,
  HeldWorkspace,
  JournalledCall,
  Stopping,
} from './entries.js';
import { type Row, toBackground, toCall, toWorkspace } from './rows.js';
import { prepareSchema } from './schema.js';

/**
 * Writes as much as the write-ahead log holds between two checkpoints (1000 pages of 4 KiB), and drops it again: that
 * room then belongs to the journal, so that results can be written down on a full disk.
 */
const HOLD_ROOM = `
  BEGIN; CREATE TABLE IF NOT EXISTS room (x BLOB); INSERT INTO room VALUES (zeroblob(4300000)); COMMIT;
  BEGIN; DROP TABLE room; COMMIT;
  PRAGMA wal_checkpoint(RESTART);
`;

const INSERT_CALL = `
  INSERT INTO calls (run_id, call_id, attempt, segment, tool, input_digest, limit_ms, output_bytes, started_at, boot_id,
    state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running')`;

const SAVE_WORKSPACE = `
  INSERT INTO workspaces (run_id, state, segment, spec, external) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, spec = excluded.spec, external = excluded.external,
    segment = max(segment, excluded.segment)`;

const OF_CALL = 'run_id = ? AND call_id = ? AND attempt = ?';
const BACKGROUND = `
  SELECT calls.*, background.stopping AS bg_stopping, background.ending AS bg_ending
  FROM background JOIN calls USING (run_id, call_id, attempt)`;

const keysOf = ({ runId, callId, attempt }: CallKey): [string, string, number] => [runId, callId, attempt];

/**
 * The durable journal of law 5: which workspaces are held here, which call was started, how it ended. A promise of a
 * change resolves when the change is on the disk; changes that come together share one commit.
 */
export class Journal {
  private waiting: { change: () => void; done: () => void; failed: (error: unknown) => void }[] = [];

  private closed = false;
  private readonly statements = new Map<string, StatementSyncInstance>();

  private constructor(private readonly db: DatabaseSyncInstance) {}

  /** @throws Misconfigured when another manager has the journal open, or it cannot be opened. */
  static open(file: string): Journal {
    try {
      const db = new DatabaseSync(file);
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      prepareSchema(db);
      db.exec(HOLD_ROOM);
      return new Journal(db);
    } catch (error) {
      const reason = messageOf(error);
      const sentence = /locked|busy/i.test(reason)
        ? `Another workspace-manager works on ${file}: stop it, or give this one its own folder in BATON_DATA.`
        : `The journal ${file} cannot be opened (${reason}): check the folder in BATON_DATA and the room on its disk.`;
      throw new Misconfigured(sentence, { cause: error });
    }
  }

  workspace(runId: RunId): HeldWorkspace | undefined {
    const row = this.prepared('SELECT * FROM workspaces WHERE run_id = ?').get(runId) as Row | undefined;
    return row && toWorkspace(row);
  }

  workspaces(): HeldWorkspace[] {
    return (this.prepared('SELECT * FROM workspaces').all() as Row[]).map(toWorkspace);
  }

  saveWorkspace(held: HeldWorkspace): Promise<void> {
    const { runId, state, segment, spec, external } = held;
    return this.change(() =>
      this.run(SAVE_WORKSPACE, runId, state, segment, JSON.stringify(spec), JSON.stringify(external)),
    );
  }

  /** Nothing more is known of the workspace and its calls. */
  forget(runId: RunId): Promise<void> {
    return this.change(() => {
      for (const table of ['workspaces', 'calls', 'background', 'servers'])
        this.run(`DELETE FROM ${table} WHERE run_id = ?`, runId);
    });
  }

  noteSegment(runId: RunId, segment: number): Promise<void> {
    return this.change(() =>
      this.run('UPDATE workspaces SET segment = max(segment, ?) WHERE run_id = ?', segment, runId),
    );
  }

  call(key: CallKey): JournalledCall | undefined {
    const row = this.prepared(`SELECT * FROM calls WHERE ${OF_CALL}`).get(...keysOf(key));
    return row === undefined ? undefined : toCall(row as Row);
  }

  callsOf(runId: RunId): JournalledCall[] {
    const rows = this.prepared('SELECT * FROM calls WHERE run_id = ? ORDER BY started_at, call_id, attempt').all(runId);
    return (rows as Row[]).map(toCall);
  }

  unfinished(): JournalledCall[] {
    return (this.prepared("SELECT * FROM calls WHERE state = 'running'").all() as Row[]).map(toCall);
  }

  started(call: CallStart): Promise<void> {
    const { segment, tool, inputDigest, limitMs, outputBytes, startedAt, bootId } = call;
    return this.change(() =>
      this.run(INSERT_CALL, ...keysOf(call), segment, tool, inputDigest, limitMs, outputBytes, startedAt, bootId),
    );
  }

  finished(call: CallKey, end: CallEnd, executions: number, endedAt: number): Promise<void> {
    const ending = JSON.stringify(end);
    return this.update(
      call,
      "state = 'finished', ending = ?, executions = ?, ended_at = ?",
      ending,
      executions,
      endedAt,
    );
  }

  unknown(call: CallKey, reason: string, executions: number, endedAt: number): Promise<void> {
    return this.update(
      call,
      "state = 'unknown', reason = ?, executions = ?, ended_at = ?",
      reason,
      executions,
      endedAt,
    );
  }

  stopping(call: CallKey, because: Stopping): Promise<void> {
    return this.update(call, 'stopping = coalesce(stopping, ?)', because);
  }

  editing(call: CallKey, edit: EditDigests): Promise<void> {
    return this.update(call, 'edit = ?', JSON.stringify(edit));
  }

  /** For a call that certainly never began: it may be run as if it were new. */
  forgotten(call: CallKey): Promise<void> {
    return this.change(() => {
      this.run(`DELETE FROM calls WHERE ${OF_CALL}`, ...keysOf(call));
      this.run(`DELETE FROM background WHERE ${OF_CALL}`, ...keysOf(call));
    });
  }

  /** The call is about to start a command that outlives it. */
  inBackground(call: CallKey): Promise<void> {
    return this.change(() =>
      this.run('INSERT OR IGNORE INTO background (run_id, call_id, attempt) VALUES (?, ?, ?)', ...keysOf(call)),
    );
  }

  background(call: CallKey): BackgroundCommand | undefined {
    const row = this.prepared(`${BACKGROUND} WHERE ${OF_CALL}`).get(...keysOf(call));
    return row === undefined ? undefined : toBackground(row as Row);
  }

  backgroundRunning(): BackgroundCommand[] {
    return (this.prepared(`${BACKGROUND} WHERE background.ending IS NULL`).all() as Row[]).map(toBackground);
  }

  backgroundStopping(call: CallKey, because: BackgroundStopping): Promise<void> {
    const set = `UPDATE background SET stopping = coalesce(stopping, ?) WHERE ${OF_CALL}`;
    return this.change(() => this.run(set, because, ...keysOf(call)));
  }

  backgroundEnded(call: CallKey, end: CallEnd, at: number): Promise<void> {
    const set = `UPDATE background SET ending = ? WHERE ${OF_CALL}`;
    return this.change(() => this.run(set, JSON.stringify({ ...end, at }), ...keysOf(call)));
  }

  /** Why a server of a run has ended, should nobody hear of it; undefined where that is not known. */
  serverEnded(runId: RunId, server: string): string | undefined {
    const row = this.prepared('SELECT ended FROM servers WHERE run_id = ? AND server = ?').get(runId, server);
    return (row as Row | undefined)?.['ended']?.toString();
  }

  serverEnds(runId: RunId, server: string, ended: string | null): Promise<void> {
    return this.change(() =>
      this.run('INSERT OR REPLACE INTO servers (run_id, server, ended) VALUES (?, ?, ?)', runId, server, ended),
    );
  }

  close(): void {
    this.commit();
    this.closed = true;
    this.db.close();
  }

  private update(call: CallKey, set: string, ...values: (string | number)[]): Promise<void> {
    return this.change(() => this.run(`UPDATE calls SET ${set} WHERE ${OF_CALL}`, ...values, ...keysOf(call)));
  }

  private prepared(sql: string): StatementSyncInstance {
    const known = this.statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.db.prepare(sql);
    this.statements.set(sql, statement);
    return statement;
  }

  private run(sql: string, ...values: (string | number | null)[]): void {
    this.prepared(sql).run(...values);
  }

  private change(change: () => void): Promise<void> {
    return new Promise((done, failed) => {
      if (this.waiting.length === 0) setImmediate(() => this.commit());
      this.waiting.push({ change, done, failed });
    });
  }

  private commit(): void {
    const together = this.waiting;
    this.waiting = [];
    if (together.length === 0) return;
    try {
      this.db.exec('BEGIN IMMEDIATE');
      for (const { change } of together) change();
      this.db.exec('COMMIT');
    } catch (error) {
      if (!this.closed && this.db.isTransaction) this.db.exec('ROLLBACK');
      const failure = new Unavailable(`The workspace's journal cannot be written: ${messageOf(error)}.`, {
        cause: error,
      });
      for (const { failed } of together) failed(failure);
      return;
    }
    for (const { done } of together) done();
  }
}
