import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { SeedFile } from '#contracts';
import { Misconfigured, sha256 } from '#platform';

/** A file that every new workspace starts with, and where it lies here. */
export interface LocalFile {
  readonly seed: SeedFile;
  readonly file: string;
}

const MOST_FILES = 10_000;
const MOST_BYTES = 50_000_000;

/**
 * The files of the folder that an agent file names in `workspace.files`, relative to where the agent file lies.
 * @throws Misconfigured when there is no such folder, or it holds what cannot be sent.
 */
export function seedFiles(agentFile: string, folder: string | undefined): readonly LocalFile[] {
  if (folder === undefined) return [];
  const root = resolve(dirname(agentFile), folder);
  if (!lstatSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Misconfigured(`${agentFile}: workspace.files names ${folder}, but there is no folder ${root}.`);
  }
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => seedOf(root, join(entry.parentPath, entry.name)));
  if (files.length <= MOST_FILES) return files.toSorted((a, b) => (a.seed.path < b.seed.path ? -1 : 1));
  throw new Misconfigured(`${root} holds ${files.length} files; a workspace starts with at most ${MOST_FILES}.`);
}

function seedOf(root: string, file: string): LocalFile {
  const stat = lstatSync(file);
  const sendable = stat.isFile() && stat.size <= MOST_BYTES;
  if (!sendable) {
    const why = stat.isFile()
      ? `is larger than ${MOST_BYTES / 1_000_000} MB`
      : 'is no ordinary file (links are not followed)';
    throw new Misconfigured(`${file} ${why}: take it out of the folder that workspace.files names.`);
  }
  const path = relative(root, file).split(sep).join('/');
  const executable = (stat.mode & 0o111) !== 0;
  return { seed: { path, digest: sha256(readFileSync(file)), bytes: stat.size, executable }, file };
}
