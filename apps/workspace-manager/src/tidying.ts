import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RunId, streams } from '#contracts';
import type { EventLog, Finding, Findings } from '#log';
import { type Clock, type Logger, messageOf } from '#platform';
import type { Calls } from './calls.js';
import type { CallGroup, ControlGroups } from './control-groups.js';
import type { Folders } from './folders.js';
import type { HeldWorkspace } from './journal/entries.js';
import type { Journal } from './journal/journal.js';
import type { McpServers } from './mcp/servers.js';
import type { Openings } from './openings.js';
import { hasLostItsFolder, signal } from './processes.js';
import { isEnd, type Retirement } from './retirement.js';
import type { Background } from './tools/background.js';

/** How many workspaces for which nothing runs are looked at in a round; the next round goes on behind them. */
const QUIET_A_ROUND = 200;

export interface TidyingParts {
  readonly journal: Journal;
  readonly openings: Openings;
  readonly retirement: Retirement;
  readonly findings: Findings<'workspace-manager'>;
  readonly calls: Calls;
  readonly background: Background;
  readonly servers: McpServers;
  readonly folders: Folders;
  readonly log: EventLog;
  readonly groups: ControlGroups | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For how long the files of a run are kept after its end, in milliseconds. */
  readonly keepMs: number;
}

type Found = readonly Finding<'workspace-manager'>[];

/** Ends and removes what crashes have left behind, and retires the workspaces of runs that have ended while none was there. */
export class Tidying {
  private place = 0;

  constructor(private readonly parts: TidyingParts) {}

  /** Never rejects for one workspace's sake. @throws Unavailable when findings cannot be recorded */
  async tidy(): Promise<void> {
    const { journal, findings, groups, retirement } = this.parts;
    const held = journal.workspaces();
    for (const name of groups?.names() ?? []) this.tidyGroup(name);
    const works = [
      ...this.toLookAt(held).map((one) => () => retirement.look(one)),
      ...held.map((one) => () => this.tidyWorkspace(one)),
      ...(groups?.others() ?? []).map((group) => async () => this.tidyOther(group)),
      ...(await this.withoutRow()).map((runId) => () => this.tidyFolder(runId)),
    ];
    const found: Finding<'workspace-manager'>[] = [];
    for (const work of works) found.push(...(await this.attempt(work)));
    await findings.record(found);
  }

  /** Those for which something runs, and some of the others in turn. */
  private toLookAt(held: readonly HeldWorkspace[]): readonly HeldWorkspace[] {
    const busy = this.parts.retirement.busy();
    const quiet = held.filter(({ runId }) => !busy.has(runId));
    const from = this.place < quiet.length ? this.place : 0;
    this.place = from + QUIET_A_ROUND;
    return [...held.filter(({ runId }) => busy.has(runId)), ...quiet.slice(from, this.place)];
  }

  private async attempt(work: () => Promise<Found>): Promise<Found> {
    try {
      return await work();
    } catch (error) {
      this.parts.logger.warn({ error: messageOf(error) }, 'tidying up did not succeed; the next round goes on');
      return [];
    }
  }

  private async tidyWorkspace({ runId, state }: HeldWorkspace): Promise<Found> {
    const { folders } = this.parts;
    // A half-made seed of a workspace that is being made now belongs to that.
    if (state !== 'creating') await rm(folders.seed(runId), { recursive: true, force: true });
    const folder = join(folders.workspace(runId), 'calls');
    for (const name of await readdir(folder).catch(() => [])) {
      if (!this.isLive(`${runId}.${name}`)) await rm(join(folder, name), { recursive: true, force: true });
    }
    return [];
  }

  /** The folders that the journal does not know. The journal knows a workspace before its folder is made. */
  private async withoutRow(): Promise<readonly RunId[]> {
    const { folders, journal } = this.parts;
    const names = await readdir(folders.root);
    const runs = names.map((name) => RunId.safeParse(name)).flatMap(({ data }) => (data === undefined ? [] : [data]));
    return runs.filter((runId) => journal.workspace(runId) === undefined);
  }

  private tidyFolder(runId: RunId): Promise<Found> {
    const { folders, journal, openings, log, clock, keepMs } = this.parts;
    const thing = folders.workspace(runId);
    return openings.exclusively(runId, async (): Promise<Found> => {
      const last = await log.last(streams.run(runId));
      if (journal.workspace(runId) !== undefined) return [];
      const isOver = last !== undefined && isEnd(last) && clock.now() - last.created >= keepMs;
      if (isOver) await rm(thing, { recursive: true, force: true });
      const outcome = isOver
        ? { mended: true as const, how: 'It was removed: the run has ended, and its files were kept long enough.' }
        : {
            mended: false as const,
            why: 'The journal of this manager does not know it: it was replaced or removed, so no run can go on with it.',
            toDo: 'Copy from the folder what is needed, then remove it.',
          };
      const sentence = `The folder ${thing} belongs to no workspace.`;
      return [{ kind: 'folder-without-owner', thing, runId, sentence, outcome }];
    });
  }

  private tidyGroup(name: string): void {
    const group = this.parts.groups?.of(name);
    if (group === undefined || this.isLive(name)) return;
    this.end(group);
  }

  /** What runs for a manager whose data folder is gone: nobody will ever ask for it. */
  private tidyOther(group: CallGroup): Found {
    const members = this.parts.groups?.members(group) ?? [];
    if (!members.some(hasLostItsFolder)) return [];
    this.end(group);
    const thing = group.folders[0] ?? '';
    const sentence = `${members.length} processes ran in ${thing}, of a workspace whose folder is gone.`;
    const outcome = { mended: true as const, how: 'They were ended.' };
    return [{ kind: 'group-without-owner', thing, sentence, outcome }];
  }

  private end(group: CallGroup): void {
    const { groups } = this.parts;
    for (const pid of groups?.toEnd(group) ?? []) signal(pid, 'SIGKILL');
    groups?.remove(group);
  }

  private isLive(name: string): boolean {
    const { calls, background, servers } = this.parts;
    return calls.isLive(name) || background.isLive(name) || servers.isLive(name);
  }
}
