import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Calls } from './calls.js';
import type { ControlGroups } from './control-groups.js';
import type { Folders } from './folders.js';
import type { HeldWorkspace, Journal } from './journal.js';
import { signal } from './processes.js';

/** Ends and removes what crashes have left behind. Everything here is done in its time elsewhere too. */
export class Tidying {
  constructor(
    private readonly journal: Journal,
    private readonly calls: Calls,
    private readonly folders: Folders,
    private readonly groups: ControlGroups | undefined,
  ) {}

  async tidy(): Promise<void> {
    for (const held of this.journal.workspaces()) await this.tidyWorkspace(held);
    for (const name of this.groups?.names() ?? []) this.tidyGroup(name);
  }

  private async tidyWorkspace({ runId, state }: HeldWorkspace): Promise<void> {
    if (state === 'released') await this.calls.stopAll(runId);
    // A half-made seed of a workspace that is being made now belongs to that.
    if (state !== 'creating') await rm(this.folders.seed(runId), { recursive: true, force: true });
    const folder = join(this.folders.workspace(runId), 'calls');
    for (const name of await readdir(folder).catch(() => [])) {
      if (!this.calls.isLive(`${runId}.${name}`)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  private tidyGroup(name: string): void {
    const group = this.groups?.of(name);
    if (group === undefined || this.calls.isLive(name)) return;
    for (const pid of this.groups?.members(group) ?? []) signal(pid, 'SIGKILL');
    this.groups?.remove(group);
  }
}
