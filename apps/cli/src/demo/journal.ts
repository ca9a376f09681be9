import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { Bus } from '#bus';
import { ReadJournal, type RunId, workspaceSubject } from '#contracts';
import { silentLogger } from '#platform';

export type JournalledCall = z.output<typeof ReadJournal.answer>['calls'][number];

/** Where the local workspace-manager keeps what the demo reads: `workspaces/` of its data folder. */
export class LocalWorkspaces {
  constructor(
    private readonly folder: string,
    private readonly busUrl: string,
  ) {}

  /** The folder of a run's workspace, as its commands saw it. */
  filesOf(run: RunId): string {
    return join(this.folder, 'workspaces', run, 'files');
  }

  /** The lines of `ledger.txt`: one for each execution of the profiling command, written by the command itself. */
  ledgerOf(run: RunId): readonly string[] {
    const file = join(this.filesOf(run), 'ledger.txt');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  }

  /** What the manager's journal says of each call, asked of the manager itself over the bus. */
  async journalOf(run: RunId): Promise<readonly JournalledCall[]> {
    const bus = await Bus.connect({ url: this.busUrl, name: 'demo', logger: silentLogger });
    try {
      return await journalOf(bus, this.folder, run);
    } finally {
      await bus.close();
    }
  }
}

/** The journal's calls of a run, asked of the manager on the folder. @throws Unavailable when it does not answer */
export async function journalOf(bus: Bus, folder: string, run: RunId): Promise<readonly JournalledCall[]> {
  const holder = readFileSync(join(folder, 'workspaces', 'holder'), 'utf8').trim();
  const subject = workspaceSubject(holder, ReadJournal.verb);
  return (await bus.ask(subject, { runId: run }, ReadJournal.answer, { timeoutMs: 10_000 })).calls;
}
