import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunId, streams, TERMINAL_EVENTS } from '#contracts';
import type { EventLog } from '#log';
import type { Calls } from './calls.js';
import type { ControlGroups } from './control-groups.js';
import type { DiskUse } from './disk-use.js';
import type { Folders } from './folders.js';
import type { HeldWorkspace } from './journal/entries.js';
import type { Journal } from './journal/journal.js';
import type { McpServers } from './mcp/servers.js';
import { signal } from './processes.js';
import type { Background } from './tools/background.js';
import type { Workspaces } from './workspaces.js';

export interface TidyingParts {
  readonly journal: Journal;
  readonly workspaces: Workspaces;
  readonly calls: Calls;
  readonly background: Background;
  readonly servers: McpServers;
  readonly disk: DiskUse;
  readonly folders: Folders;
  readonly log: EventLog;
  readonly groups: ControlGroups | undefined;
}

/** Ends and removes what crashes have left behind. Everything here is done in its time elsewhere too. */
export class Tidying {
  constructor(private readonly parts: TidyingParts) {}

  async tidy(): Promise<void> {
    const { journal, groups } = this.parts;
    for (const held of journal.workspaces()) await this.tidyWorkspace(held);
    for (const name of groups?.names() ?? []) this.tidyGroup(name);
  }

  private async tidyWorkspace({ runId, state }: HeldWorkspace): Promise<void> {
    const { workspaces, folders, disk } = this.parts;
    if (state === 'released' || (await this.isOver(runId))) {
      await workspaces.endAll(runId);
      disk.forget(runId);
    }
    // A half-made seed of a workspace that is being made now belongs to that.
    if (state !== 'creating') await rm(folders.seed(runId), { recursive: true, force: true });
    const folder = join(folders.workspace(runId), 'calls');
    for (const name of await readdir(folder).catch(() => [])) {
      if (!this.isLive(`${runId}.${name}`)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  /** Whether something goes on for a run that has ended, because nobody has said so here. */
  private async isOver(runId: RunId): Promise<boolean> {
    const { background, servers, log } = this.parts;
    if (![...background.runs(), ...servers.runs()].includes(runId)) return false;
    const last = await log.last(streams.run(runId));
    return TERMINAL_EVENTS.some((type) => type === last?.type);
  }

  private tidyGroup(name: string): void {
    const { groups } = this.parts;
    const group = groups?.of(name);
    if (group === undefined || this.isLive(name)) return;
    for (const pid of groups?.members(group) ?? []) signal(pid, 'SIGKILL');
    groups?.remove(group);
  }

  private isLive(name: string): boolean {
    const { calls, background, servers } = this.parts;
    return calls.isLive(name) || background.isLive(name) || servers.isLive(name);
  }
}
