import { constants } from 'node:fs';
import { access, chmod, chown, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ExternalTools, type RunId, type SeedFile, streams, WorkspaceEvent, type WorkspaceSpec } from '#contracts';
import { type Blobs, type EventLog, WrongRevision } from '#log';
import { type Logger, Unreadable } from '#platform';
import { FileRefused, SandboxUnavailable, WorkspaceIsLost } from './errors.js';
import type { Folders } from './folders.js';
import { type HeldWorkspace, NO_TOOLS } from './journal/entries.js';
import type { Journal } from './journal/journal.js';
import type { Means } from './probe.js';
import type { WorkspaceRecord } from './workspace-record.js';

export interface Opening {
  readonly runId: RunId;
  readonly segment: number;
  readonly spec: WorkspaceSpec;
  readonly files: readonly SeedFile[];
  /** What the workspace needs for tools beyond its own; as before when absent. */
  readonly external?: ExternalTools | undefined;
}

export interface Opened {
  readonly holder: string;
  readonly created: boolean;
}

export interface OpeningsParts {
  readonly holder: string;
  readonly record: WorkspaceRecord;
  readonly log: EventLog;
  readonly blobs: Blobs;
  readonly journal: Journal;
  readonly folders: Folders;
  readonly means: Means;
  readonly logger: Logger;
}

/**
 * Decides who holds a workspace, and makes it when that is this manager.
 *
 * O1. The stream `workspace-<run>` decides: whose `WorkspaceCreated` is its first event holds the workspace.
 * O2. The files appear whole: they are made in `seed`, and `seed` is renamed. The journal says `creating` before the log
 *     names this manager and `open` after the files are there, so what a crash has left half-made is made again.
 * O3. What is done to one workspace as a whole is done one after the other (`exclusively`): being opened, released, removed.
 * O4. A workspace that was there once and is gone is lost, and said to be; a fresh folder never takes its place.
 */
export class Openings {
  private readonly atWork = new Map<RunId, Promise<unknown>>();

  constructor(private readonly parts: OpeningsParts) {}

  open(opening: Opening): Promise<Opened> {
    return this.exclusively(opening.runId, () => this.openOnce(opening));
  }

  /** Does the work when nothing else is done to the workspace as a whole. */
  async exclusively<T>(runId: RunId, work: () => Promise<T>): Promise<T> {
    for (let running = this.atWork.get(runId); running; running = this.atWork.get(runId))
      await running.catch(() => undefined);
    const working = work().finally(() => this.atWork.delete(runId));
    this.atWork.set(runId, working);
    return working;
  }

  private async openOnce(opening: Opening): Promise<Opened> {
    const { journal, holder } = this.parts;
    const held = journal.workspace(opening.runId);
    if (held?.state === 'lost') throw new WorkspaceIsLost(`The files of run ${opening.runId} are lost.`);
    if (held && held.state !== 'creating') return this.reopen(opening);
    const current = await this.holderInLog(opening.runId);
    if (current === undefined) return this.create(opening);
    if (current !== holder) return { holder: current, created: false };
    if (held === undefined) return this.lose(opening, 'The journal of the manager that holds it is gone.');
    await this.make(opening);
    return { holder, created: true };
  }

  private async reopen(opening: Opening): Promise<Opened> {
    const { journal, folders, holder } = this.parts;
    const [files, leaving] = [folders.files(opening.runId), folders.leaving(opening.runId)];
    // The manager was killed as it began to remove them.
    if (!(await exists(files)) && (await exists(leaving))) await rename(leaving, files);
    if (!(await exists(files))) return this.lose(opening, 'The folder with its files is gone.');
    await journal.saveWorkspace(this.held(opening, 'open'));
    return { holder, created: false };
  }

  private async create(opening: Opening): Promise<Opened> {
    const { journal, means, holder } = this.parts;
    if (means.sandbox === undefined) throw new SandboxUnavailable(means.sentence);
    await journal.saveWorkspace(this.held(opening, 'creating'));
    const winner = await this.claim(opening.runId);
    if (winner !== holder) return { holder: winner, created: false };
    await this.make(opening);
    return { holder, created: true };
  }

  /** Appends `WorkspaceCreated` unless somebody was first; answers who holds the workspace. */
  private async claim(runId: RunId): Promise<string> {
    const { holder, means, record } = this.parts;
    const provider = means.sandbox?.name ?? 'none';
    try {
      await record.append({ type: 'WorkspaceCreated', data: { ...record.facts(runId), provider } }, 'absent');
      return holder;
    } catch (error) {
      const winner = error instanceof WrongRevision ? await this.holderInLog(runId) : undefined;
      if (winner === undefined) throw error;
      return winner;
    }
  }

  /** Makes the files whole, from nothing (O2). */
  private async make(opening: Opening): Promise<void> {
    const { runId, files } = opening;
    const { folders, journal, means, logger } = this.parts;
    const [seed, place] = [folders.seed(runId), folders.files(runId)];
    if (!(await exists(place))) {
      await rm(seed, { recursive: true, force: true });
      await mkdir(seed, { recursive: true });
      for (const file of files) await this.plant(seed, file);
      await this.handOver(seed, files);
      await rename(seed, place);
    }
    await journal.saveWorkspace(this.held(opening, 'open'));
    logger.info({ run: runId, files: files.length, provider: means.sandbox?.name }, 'a workspace was made');
  }

  private async plant(seed: string, file: SeedFile): Promise<void> {
    const path = join(seed, ...inside(file.path));
    const content = await this.parts.blobs.get(file.digest);
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, 'wx', file.executable ? 0o755 : 0o644);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(path, file.executable ? 0o755 : 0o644);
  }

  private async handOver(seed: string, files: readonly SeedFile[]): Promise<void> {
    const owner = this.parts.means.sandbox?.owner;
    if (owner === undefined) return;
    const paths = new Set([seed]);
    for (const file of files) {
      for (let path = join(seed, file.path); path !== seed; path = dirname(path)) paths.add(path);
    }
    for (const path of paths) await chown(path, owner.uid, owner.gid);
  }

  private held({ runId, segment, spec, external }: Opening, state: HeldWorkspace['state']): HeldWorkspace {
    const before = this.parts.journal.workspace(runId)?.external ?? NO_TOOLS;
    return { runId, segment, spec, state, external: external ?? before };
  }

  private async lose(opening: Opening, reason: string): Promise<never> {
    const { runId } = opening;
    const { record, logger } = this.parts;
    logger.error({ run: runId, reason }, 'a workspace is lost');
    await record.append({ type: 'WorkspaceLost', data: { ...record.facts(runId), reason } });
    await this.parts.journal.saveWorkspace(this.held(opening, 'lost'));
    throw new WorkspaceIsLost(`The files of run ${runId} are lost: ${reason}`);
  }

  /** @throws WorkspaceIsLost when the log says so; Unreadable when it cannot be understood. */
  private async holderInLog(runId: RunId): Promise<string | undefined> {
    let holder: string | undefined;
    for await (const { type, data } of this.parts.log.read(streams.workspace(runId))) {
      const event = WorkspaceEvent.safeParse({ type, data });
      if (!event.success) throw new Unreadable(`${streams.workspace(runId)} holds a ${type} that cannot be read.`);
      if (event.data.type === 'WorkspaceLost') {
        throw new WorkspaceIsLost(`The files of run ${runId} are lost: ${event.data.data.reason}`);
      }
      if (event.data.type === 'WorkspaceRemoved') {
        const { at, endedAt } = event.data.data;
        throw new WorkspaceIsLost(`The run had ended at ${endedAt}; its files were kept until ${at} and then removed.`);
      }
      if (event.data.type === 'WorkspaceCreated') holder = event.data.data.holder;
    }
    return holder;
  }
}

/** The parts of a seed file's path, which must stay inside the workspace. */
function inside(path: string): string[] {
  const parts = path.split('/');
  if (path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new FileRefused(`The seed file ${JSON.stringify(path)} leads out of the workspace, or is no plain path.`);
  }
  return parts;
}

const exists = (path: string): Promise<boolean> =>
  access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
