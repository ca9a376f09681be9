import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Recorded, RunEvent } from '#contracts';
import { sha256 } from '#platform';
import type { JournalledCall } from '../demo/journal.js';

/** A file of a workspace, as far as it is compared. */
export interface FileMark {
  readonly digest: string;
  /** Line breaks: more than expected is a hint that something was done twice, fewer that it was not done. */
  readonly lines: number;
}

/** What is known of a run from those that cannot be talked into anything: the log, the workspace's journal, its files. */
export interface Evidence {
  readonly events: readonly Recorded<RunEvent>[];
  readonly journal: readonly JournalledCall[];
  readonly files: ReadonlyMap<string, FileMark>;
}

/** The files below a folder by their paths; links are named and not followed. */
export function filesBelow(folder: string): ReadonlyMap<string, FileMark> {
  if (!existsSync(folder)) return new Map();
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => lstatSync(path).isFile())
    .toSorted();
  return new Map(paths.map((path) => [relative(folder, path), markOf(readFileSync(path))]));
}

const LINE_BREAK = 10;

const markOf = (content: Buffer): FileMark => ({
  digest: sha256(content),
  lines: content.filter((byte) => byte === LINE_BREAK).length,
});
