import { join } from 'node:path';
import type { Bus } from '#bus';
import type { RunId } from '#contracts';
import { type JournalledCall, journalOf } from '../demo/journal.js';

/** What the local workspace-manager keeps of a run: its files, its running calls, its journal. */
export class Workspaces {
  constructor(
    private readonly folder: string,
    private readonly bus: Bus,
  ) {}

  filesOf(run: RunId): string {
    return join(this.folder, 'workspaces', run, 'files');
  }

  callsOf(run: RunId): string {
    return join(this.folder, 'workspaces', run, 'calls');
  }

  /** @throws Unavailable while no manager answers */
  journalOf(run: RunId): Promise<readonly JournalledCall[]> {
    return journalOf(this.bus, this.folder, run);
  }
}
