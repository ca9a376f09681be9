import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunId } from '#contracts';
import type { Folders } from './folders.js';

/** How often a workspace is measured while something in it may write, in milliseconds. */
const LOOK_MS = 1_000;
/** Measuring may take one part in so many of the time. */
const SHARE = 10;
/** What a file or folder counts at least, so that empty ones are not free. */
const LEAST_BYTES = 1_024;

/** What is known of one workspace. */
interface Known {
  bytes: number | undefined;
  /** Counts the changes; a measurement is good for those before it began. */
  changes: number;
  measuredChanges: number;
  tookMs: number;
  measuring: Promise<number> | undefined;
  refresh: NodeJS.Timeout | undefined;
}

/** Ends the watching; the workspace may have been changed until now. */
export interface Watch {
  end(): void;
}

/**
 * What the files of workspaces take on the disk. They are measured from time to time while commands run, so a workspace
 * may exceed its limit by what can be written in about a second; then nothing can be added until files are removed.
 */
export class DiskUse {
  private readonly workspaces = new Map<RunId, Known>();

  constructor(private readonly folders: Folders) {}

  /** In bytes. An older number will do below `enough`: large workspaces are not measured before every command. */
  of(runId: RunId, enough = 0): Promise<number> {
    const known = this.known(runId);
    const { bytes, changes, measuredChanges } = known;
    if (bytes !== undefined && (changes === measuredChanges || bytes < enough)) return Promise.resolve(bytes);
    return this.measure(runId, known);
  }

  /** The workspace's files were changed. */
  changed(runId: RunId): void {
    const known = this.known(runId);
    known.changes += 1;
    known.refresh ??= setTimeout(() => {
      known.refresh = undefined;
      this.measure(runId, known).catch(() => undefined);
    }, known.tookMs * SHARE).unref();
  }

  /** Calls `exceeded` once when the workspace takes more than `limitBytes`. */
  watch(runId: RunId, limitBytes: number, exceeded: () => void): Watch {
    const known = this.known(runId);
    let timer: NodeJS.Timeout | undefined;
    const plan = (): void => {
      timer = setTimeout(() => void look(), Math.max(LOOK_MS, known.tookMs * SHARE)).unref();
    };
    const look = async (): Promise<void> => {
      known.changes += 1;
      const bytes = await this.measure(runId, known).catch(() => 0);
      if (timer === undefined) return;
      if (bytes > limitBytes) exceeded();
      else plan();
    };
    plan();
    return {
      end: () => {
        clearTimeout(timer);
        if (timer !== undefined) this.changed(runId);
        timer = undefined;
      },
    };
  }

  /** Nothing is kept of a workspace that nobody works in. */
  forget(runId: RunId): void {
    clearTimeout(this.workspaces.get(runId)?.refresh);
    this.workspaces.delete(runId);
  }

  private known(runId: RunId): Known {
    const there = this.workspaces.get(runId);
    if (there !== undefined) return there;
    const fresh: Known = {
      bytes: undefined,
      changes: 0,
      measuredChanges: 0,
      tookMs: 0,
      measuring: undefined,
      refresh: undefined,
    };
    this.workspaces.set(runId, fresh);
    return fresh;
  }

  /** Shares a measurement that is under way, unless it began before the last change. */
  private async measure(runId: RunId, known: Known): Promise<number> {
    const { changes } = known;
    for (;;) {
      known.measuring ??= this.measureOnce(runId, known).finally(() => {
        known.measuring = undefined;
      });
      const bytes = await known.measuring;
      if (known.measuredChanges >= changes) return bytes;
    }
  }

  private async measureOnce(runId: RunId, known: Known): Promise<number> {
    const begun = performance.now();
    const { changes } = known;
    const bytes = await bytesBelow(this.folders.files(runId));
    known.bytes = bytes;
    known.measuredChanges = changes;
    known.tookMs = performance.now() - begun;
    return bytes;
  }
}

/** The room that everything below a folder takes; what vanishes while it is looked at does not count. */
async function bytesBelow(root: string): Promise<number> {
  let bytes = 0;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const place = folder;
    const entries = await opendir(place).catch(() => []);
    for await (const entry of entries) {
      const path = join(place, entry.name);
      const stat = await lstat(path).catch(() => undefined);
      bytes += stat === undefined ? 0 : Math.max(stat.blocks * 512, LEAST_BYTES);
      if (entry.isDirectory()) folders.push(path);
    }
  }
  return bytes;
}
