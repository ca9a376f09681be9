import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { streams } from '#contracts';
import type { EventLog } from '#log';
import type { JournalledCall, LoggedEvent, RunFacts } from './check/facts.js';
import type { StartedRun } from './load.js';

type Logged = Omit<RunFacts, 'ledger' | 'journal'>;

/** What the log has of the runs; it must be running. */
export async function readLog(log: EventLog, runs: readonly StartedRun[]): Promise<readonly Logged[]> {
  const logged: Logged[] = [];
  for (const { id, items } of runs) {
    const events: LoggedEvent[] = [];
    for await (const { revision, type, data, created } of log.read(streams.run(id))) {
      events.push({ revision, type, data: data as LoggedEvent['data'], created });
    }
    logged.push({ id, items, events });
  }
  return logged;
}

/** Adds what the commands have noted and what the workspaces' journal has; the cluster must be down, since it locks that. */
export function readDisk(folder: string, logged: readonly Logged[]): readonly RunFacts[] {
  const workspaces = join(folder, 'workspace-manager', 'workspaces');
  const journal = new DatabaseSync(join(workspaces, 'journal.db'));
  const callsOf = journal.prepare('SELECT call_id AS callId, attempt, executions FROM calls WHERE run_id = ?');
  try {
    return logged.map((run) => ({
      ...run,
      ledger: linesOf(join(workspaces, run.id, 'files', 'ledger')),
      journal: callsOf.all(run.id) as unknown as readonly JournalledCall[],
    }));
  } finally {
    journal.close();
  }
}

const linesOf = (file: string): readonly string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
