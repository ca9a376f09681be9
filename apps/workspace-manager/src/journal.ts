import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import type { BlobRef, CallId, CallOutcome, RunId, TextBlock, WorkspaceSpec } from '#contracts';
import { Misconfigured, messageOf, Unavailable } from '#platform';

/** A workspace that this manager holds. `creating`: its files may be half-made. */
export interface HeldWorkspace {
  readonly runId: RunId;
  readonly state: 'creating' | 'open' | 'released' | 'lost';
  readonly segment: number;
  readonly spec: WorkspaceSpec;
}

/** What a call came to. */
export interface CallEnd {
  readonly outcome: CallOutcome;
  readonly content: readonly TextBlock[];
  readonly whole?: BlobRef | undefined;
}

export interface CallKey {
  readonly runId: RunId;
  readonly callId: CallId;
}

/** A call's name within this manager: of its control groups, and in memory. */
export const nameOf = ({ runId, callId }: CallKey): string => `${runId}.${callId}`;

/** An accepted call; it is in the journal before it starts. */
export interface CallStart extends CallKey {
  readonly segment: number;
  readonly tool: string;
  readonly inputDigest: string;
  readonly limitMs: number;
  readonly outputBytes: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The machine's boot: after another one nothing can be said about a command that has left no exit status. */
  readonly bootId: string;
}

export interface JournalledCall extends CallStart {
  readonly state: 'running' | 'finished' | 'unknown';
  readonly endedAt?: number;
  /** How often the call was really started, counted by the claims of its command; 0 while it runs. */
  readonly executions: number;
  readonly end?: CallEnd;
  readonly reason?: string;
  readonly stopping?: 'cancelled' | 'timed-out';
  /** For `edit_file`: the file's digests before and after, noted before the change. */
  readonly edit?: EditDigests;
}

export interface EditDigests {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

type Row = Record<string, string | number | null>;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS workspaces (
    run_id TEXT PRIMARY KEY, state TEXT NOT NULL, segment INTEGER NOT NULL, spec TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS calls (
    run_id TEXT NOT NULL, call_id TEXT NOT NULL, segment INTEGER NOT NULL, tool TEXT NOT NULL,
    input_digest TEXT NOT NULL, limit_ms REAL NOT NULL, output_bytes INTEGER NOT NULL, started_at INTEGER NOT NULL,
    boot_id TEXT NOT NULL, state TEXT NOT NULL, ended_at INTEGER, executions INTEGER NOT NULL DEFAULT 0, ending TEXT, reason TEXT, stopping TEXT, edit TEXT,
    PRIMARY KEY (run_id, call_id)
  );
  CREATE INDEX IF NOT EXISTS running_calls ON calls (state) WHERE state = 'running';
`;

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
  INSERT INTO calls (run_id, call_id, segment, tool, input_digest, limit_ms, output_bytes, started_at, boot_id, state)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'running')`;

const SAVE_WORKSPACE = `
  INSERT INTO workspaces (run_id, state, segment, spec) VALUES (?, ?, ?, ?)
  ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, spec = excluded.spec, segment = max(segment, excluded.segment)`;

/**
 * The durable journal of law 5: which workspaces are held here, which call was started, how it ended. A promise of a
 * change resolves when the change is on the disk; changes that come together share one commit.
 */
export class Journal {
  private waiting: { change: () => void; done: () => void; failed: (error: unknown) => void }[] = [];

  private readonly statements = new Map<string, StatementSyncInstance>();

  private constructor(private readonly db: DatabaseSyncInstance) {}

  /** @throws Misconfigured when another manager has the journal open, or it cannot be opened. */
  static open(file: string): Journal {
    try {
      const db = new DatabaseSync(file);
      db.exec(
        `PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${SCHEMA} ${HOLD_ROOM}`,
      );
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
    return this.change(() => this.run(SAVE_WORKSPACE, held.runId, held.state, held.segment, JSON.stringify(held.spec)));
  }

  noteSegment(runId: RunId, segment: number): Promise<void> {
    return this.change(() =>
      this.run('UPDATE workspaces SET segment = max(segment, ?) WHERE run_id = ?', segment, runId),
    );
  }

  call(runId: RunId, callId: CallId): JournalledCall | undefined {
    const row = this.prepared('SELECT * FROM calls WHERE run_id = ? AND call_id = ?').get(runId, callId);
    return row === undefined ? undefined : toCall(row as Row);
  }

  callsOf(runId: RunId): JournalledCall[] {
    const rows = this.prepared('SELECT * FROM calls WHERE run_id = ? ORDER BY started_at, call_id').all(runId);
    return (rows as Row[]).map(toCall);
  }

  unfinished(): JournalledCall[] {
    return (this.prepared("SELECT * FROM calls WHERE state = 'running'").all() as Row[]).map(toCall);
  }

  started(call: CallStart): Promise<void> {
    const { runId, callId, segment, tool, inputDigest, limitMs, outputBytes, startedAt, bootId } = call;
    return this.change(() =>
      this.run(INSERT_CALL, runId, callId, segment, tool, inputDigest, limitMs, outputBytes, startedAt, bootId),
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

  stopping(call: CallKey, because: 'cancelled' | 'timed-out'): Promise<void> {
    return this.update(call, 'stopping = coalesce(stopping, ?)', because);
  }

  editing(call: CallKey, edit: EditDigests): Promise<void> {
    return this.update(call, 'edit = ?', JSON.stringify(edit));
  }

  /** For a call that certainly never began: it may be run as if it were new. */
  forgotten(call: CallKey): Promise<void> {
    return this.change(() => this.run('DELETE FROM calls WHERE run_id = ? AND call_id = ?', call.runId, call.callId));
  }

  close(): void {
    this.commit();
    this.db.close();
  }

  private update(call: CallKey, set: string, ...values: (string | number)[]): Promise<void> {
    return this.change(() =>
      this.run(`UPDATE calls SET ${set} WHERE run_id = ? AND call_id = ?`, ...values, call.runId, call.callId),
    );
  }

  private prepared(sql: string): StatementSyncInstance {
    const known = this.statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.db.prepare(sql);
    this.statements.set(sql, statement);
    return statement;
  }

  private run(sql: string, ...values: (string | number)[]): void {
    this.prepared(sql).run(...values);
  }

  private change(change: () => void): Promise<void> {
    // Commands outlive the manager, and one may end while it stops: the next manager writes that down.
    if (!this.db.isOpen) return Promise.reject(new Unavailable("The workspace's journal is closed: ask again."));
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
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
      const failure = new Unavailable(`The workspace's journal cannot be written: ${messageOf(error)}.`, {
        cause: error,
      });
      for (const { failed } of together) failed(failure);
      return;
    }
    for (const { done } of together) done();
  }
}

function toWorkspace(row: Row): HeldWorkspace {
  return {
    runId: row['run_id'] as RunId,
    state: row['state'] as HeldWorkspace['state'],
    segment: Number(row['segment']),
    spec: JSON.parse(String(row['spec'])) as WorkspaceSpec,
  };
}

function toCall(row: Row): JournalledCall {
  return {
    runId: row['run_id'] as RunId,
    callId: row['call_id'] as CallId,
    segment: Number(row['segment']),
    tool: String(row['tool']),
    inputDigest: String(row['input_digest']),
    limitMs: Number(row['limit_ms']),
    outputBytes: Number(row['output_bytes']),
    startedAt: Number(row['started_at']),
    bootId: String(row['boot_id']),
    state: row['state'] as JournalledCall['state'],
    executions: Number(row['executions']),
    ...(row['ended_at'] !== null && { endedAt: Number(row['ended_at']) }),
    ...(row['ending'] !== null && { end: JSON.parse(String(row['ending'])) as CallEnd }),
    ...(row['reason'] !== null && { reason: String(row['reason']) }),
    ...(row['stopping'] !== null && { stopping: row['stopping'] as 'cancelled' | 'timed-out' }),
    ...(row['edit'] !== null && { edit: JSON.parse(String(row['edit'])) as EditDigests }),
  };
}
