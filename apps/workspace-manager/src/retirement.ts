/**
 * What becomes of a workspace when less is expected of it.
 *
 * R1  While its run works it costs what the work costs. While the run rests, its MCP servers end after half a minute and
 *     its commands in the background after `restMs`; the next segment starts servers again.
 * R2  When the run has ended, everything that runs for it ends at once, and the files stay for `keepMs`: a halted run may
 *     be reopened. Then they are removed, and the log says so.
 * R3  What the log says of the run is looked at again once nothing else can be done to the workspace; files on their way
 *     out are put back when the run was reopened meanwhile. A run that is not in the log keeps its files.
 */
import { rename, rm } from 'node:fs/promises';
import { type RunId, streams, TERMINAL_EVENTS } from '#contracts';
import type { EventLog, Finding, Runs, StoredEvent } from '#log';
import type { Clock, Logger } from '#platform';
import type { Calls } from './calls.js';
import type { DiskUse } from './disk-use.js';
import { codeOf } from './errors.js';
import type { Folders } from './folders.js';
import type { HeldWorkspace } from './journal/entries.js';
import type { Journal } from './journal/journal.js';
import type { McpServers } from './mcp/servers.js';
import type { Openings } from './openings.js';
import type { Background } from './tools/background.js';
import type { WorkspaceRecord } from './workspace-record.js';

/** How long the servers of a resting run go on, in milliseconds. */
const SERVERS_REST_MS = 30_000;

export interface RetirementParts {
  readonly log: EventLog;
  readonly runs: Pick<Runs<'workspace-manager'>, 'load'>;
  readonly journal: Journal;
  readonly openings: Openings;
  readonly record: WorkspaceRecord;
  readonly calls: Calls;
  readonly background: Background;
  readonly servers: McpServers;
  readonly disk: DiskUse;
  readonly folders: Folders;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long files are kept after the run's end, and how long a resting run keeps its commands; milliseconds. */
  readonly keepMs: number;
  readonly restMs: number;
}

type Findings = readonly Finding<'workspace-manager'>[];

export class Retirement {
  /** Since when runs with processes rest, by the monotonic clock. */
  private readonly restingSince = new Map<RunId, number>();

  constructor(private readonly parts: RetirementParts) {}

  /** The runs for which something runs. */
  busy(): ReadonlySet<RunId> {
    const { calls, background, servers } = this.parts;
    return new Set([...calls.runs(), ...background.runs(), ...servers.runs()]);
  }

  /** Does to one workspace what its run's standing asks for. @throws Unavailable; the next look goes on */
  async look({ runId, state }: Pick<HeldWorkspace, 'runId' | 'state'>): Promise<Findings> {
    const last = await this.parts.log.last(streams.run(runId));
    if (last === undefined) return this.withoutRun(runId);
    if (!isEnd(last)) return this.atRest(runId);
    this.restingSince.delete(runId);
    const wasBusy = this.busy().has(runId);
    await this.parts.openings.exclusively(runId, () => this.retire(runId));
    return wasBusy && state === 'released'
      ? [stray(runId, `Run ${runId} has ended, and something still ran for it.`)]
      : [];
  }

  /** Ends everything that runs for a run: calls, commands in the background, servers. `because` is a clause. */
  private async endAll(runId: RunId, because: string): Promise<void> {
    const { calls, background, servers } = this.parts;
    await Promise.all([calls.stopAll(runId), background.stopAll(runId), servers.release(runId, because)]);
  }

  private async retire(runId: RunId): Promise<void> {
    const { journal, clock, keepMs, log } = this.parts;
    const last = await log.last(streams.run(runId));
    const held = journal.workspace(runId);
    if (last === undefined || !isEnd(last) || held === undefined) return;
    if (held.state === 'open') await this.release(held);
    else if (this.busy().has(runId)) await this.endAll(runId, ENDED);
    const isKept = clock.now() - last.created < keepMs && held.state !== 'creating';
    if (!isKept) await this.remove(held, last);
  }

  private async release(held: HeldWorkspace): Promise<void> {
    const { journal, record, disk } = this.parts;
    const { runId } = held;
    await this.endAll(runId, ENDED);
    await record.append({ type: 'WorkspaceReleased', data: record.facts(runId) });
    await journal.saveWorkspace({ ...held, state: 'released' });
    // A call that came in between is ended too; from here on none is accepted.
    await this.endAll(runId, ENDED);
    disk.forget(runId);
  }

  private async remove({ runId, state }: HeldWorkspace, end: StoredEvent): Promise<void> {
    const { journal, record, folders, log, logger } = this.parts;
    const [files, leaving] = [folders.files(runId), folders.leaving(runId)];
    await renameIfThere(files, leaving);
    if ((await log.last(streams.run(runId)))?.revision !== end.revision) return await renameIfThere(leaving, files);
    // Another manager holds what was only begun here; what is lost was told to be.
    if (state === 'open' || state === 'released') {
      const endedAt = new Date(end.created).toISOString();
      await record.append({ type: 'WorkspaceRemoved', data: { ...record.facts(runId), endedAt } });
    }
    await journal.forget(runId);
    await rm(folders.workspace(runId), { recursive: true, force: true });
    logger.info({ run: runId }, 'the files of a run that ended long ago were removed');
  }

  private async atRest(runId: RunId): Promise<Findings> {
    const { runs, servers, background, clock, restMs } = this.parts;
    const run = this.busy().has(runId) ? await runs.load(runId) : undefined;
    if (run?.relay.phase !== 'resting') {
      this.restingSince.delete(runId);
      return [];
    }
    const now = clock.monotonic();
    const since = this.restingSince.get(runId) ?? now;
    this.restingSince.set(runId, since);
    if (now - since >= Math.min(SERVERS_REST_MS, restMs)) await servers.rest(runId);
    if (now - since >= restMs) await background.stopAll(runId, 'rested');
    return [];
  }

  private async withoutRun(runId: RunId): Promise<Findings> {
    const wasBusy = this.busy().has(runId);
    if (wasBusy) await this.endAll(runId, 'the run was not in the log');
    const ended = wasBusy ? [stray(runId, `Something ran for run ${runId}, which is not in the log.`)] : [];
    return [
      ...ended,
      {
        kind: 'workspace-without-run',
        thing: this.parts.folders.workspace(runId),
        runId,
        sentence: `There is a workspace for run ${runId}, which is not in the log.`,
        outcome: {
          mended: false,
          why: 'The log may be another one than before, or an older copy: the files may be all that is left of the run.',
          toDo: 'See whether BATON_LOG_URL names the right log; if the files are not needed, remove the folder.',
        },
      },
    ];
  }
}

/** Only a run that was halted goes on after its end. */
const ENDED = 'the run was halted';
const ENDS: ReadonlySet<string> = new Set(TERMINAL_EVENTS);
export const isEnd = ({ type }: StoredEvent): boolean => ENDS.has(type);

const stray = (runId: RunId, sentence: string): Finding<'workspace-manager'> => ({
  kind: 'command-without-run',
  thing: `workspace-${runId}`,
  runId,
  sentence,
  outcome: { mended: true, how: 'It was ended; the files were left alone.' },
});

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
