import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { CallId, WorkspaceSpec } from '#contracts';
import { aRun } from '../../test/rig.js';
import { Journal } from './journal.js';

describe('the journal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-journal-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('takes over one that was written before calls had attempts', async () => {
    const file = join(folder, 'old.db');
    const [runId, callId] = [aRun(), CallId.parse('1-0')];
    const old = new DatabaseSync(file);
    old.exec(`
      CREATE TABLE workspaces (
        run_id TEXT PRIMARY KEY, state TEXT NOT NULL, segment INTEGER NOT NULL, spec TEXT NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE calls (
        run_id TEXT NOT NULL, call_id TEXT NOT NULL, segment INTEGER NOT NULL, tool TEXT NOT NULL,
        input_digest TEXT NOT NULL, limit_ms REAL NOT NULL, output_bytes INTEGER NOT NULL, started_at INTEGER NOT NULL,
        boot_id TEXT NOT NULL, state TEXT NOT NULL, ended_at INTEGER, executions INTEGER NOT NULL DEFAULT 0, ending TEXT,
        reason TEXT, stopping TEXT, edit TEXT, PRIMARY KEY (run_id, call_id)
      );
      CREATE INDEX running_calls ON calls (state) WHERE state = 'running';
      INSERT INTO workspaces VALUES ('${runId}', 'open', 3, '{"network":true,"memoryMb":64,"processes":8}');
      INSERT INTO calls (run_id, call_id, segment, tool, input_digest, limit_ms, output_bytes, started_at, boot_id, state)
        VALUES ('${runId}', '1-0', 2, 'bash', 'digest', 1000, 2000, 3000, 'boot', 'running');
    `);
    old.close();
    const key = { runId, callId, attempt: 1 };
    const journal = Journal.open(file);
    expect(journal.workspace(runId)).toEqual({
      runId,
      state: 'open',
      segment: 3,
      spec: WorkspaceSpec.parse({ network: true, memoryMb: 64, processes: 8 }),
      external: { http: [], mcp: {}, secrets: [] },
    });
    expect(journal.unfinished()).toMatchObject([{ ...key, segment: 2, tool: 'bash', startedAt: 3000, executions: 0 }]);
    const start = {
      ...key,
      segment: 3,
      tool: 'bash',
      inputDigest: 'd',
      limitMs: 1,
      outputBytes: 2,
      startedAt: 4,
      bootId: 'b',
    };
    await journal.started({ ...start, attempt: 2 });
    await journal.finished({ ...key, attempt: 2 }, { outcome: 'ok', content: [] }, 1, 5);
    expect(journal.call(key)?.state).toBe('running');
    expect(journal.call({ ...key, attempt: 2 })?.state).toBe('finished');
    journal.close();
  });
});
