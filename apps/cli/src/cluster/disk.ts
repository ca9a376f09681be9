import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { Obstacle } from '../errors.js';

const SENTENCES: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: (path) => `The disk that holds ${path} is full: free some space, or use another folder with --data DIR.`,
  EDQUOT: (path) => `Your quota for ${path} is used up: free some space, or use another folder with --data DIR.`,
  EACCES: (path) =>
    `${path} may not be written by this user: change its owner or mode, or use another folder with --data DIR.`,
  EPERM: (path) =>
    `${path} may not be written by this user: change its owner or mode, or use another folder with --data DIR.`,
  EROFS: (path) => `${path} lies on a read-only file system: use another folder with --data DIR.`,
  ENOTDIR: (path) =>
    `${path} cannot be made, because a part of its path is a file: use another folder with --data DIR.`,
  ENOENT: (path) => `${path} cannot be made here: use another folder with --data DIR.`,
  EEXIST: (path) => `${path} is a file, not a folder: use another folder with --data DIR.`,
};

/** Does what writes to the disk; the usual obstacles become sentences. */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const sentence = SENTENCES[(error as NodeJS.ErrnoException).code ?? ''];
    throw sentence ? new Obstacle(sentence(path), { cause: error }) : error;
  }
}

/** Replaces a small file so that after a power cut it holds the old text or the new one, never a part. */
export function replaceFile(path: string, text: string, mode = 0o600): void {
  writing(path, () => {
    const scratch = `${path}.${process.pid}.new`;
    try {
      using(openSync(scratch, 'w', mode), (file) => {
        writeSync(file, text);
        fsyncSync(file);
      });
      renameSync(scratch, path);
    } catch (error) {
      rmSync(scratch, { force: true, recursive: true });
      throw error;
    }
    using(openSync(dirname(path), 'r'), fsyncSync);
  });
}

function using(file: number, work: (file: number) => void): void {
  try {
    work(file);
  } finally {
    closeSync(file);
  }
}

export function makeFolder(path: string): void {
  writing(path, () => makeAll(path));
}

/** One level after the other: Node's `recursive` tries for ever where a file system takes no folders, such as /proc. */
function makeAll(path: string): void {
  if (!existsSync(dirname(path))) makeAll(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
    if (isFolder !== true) throw error;
  }
}

const inMb = (bytes: number): string => `${Math.floor(bytes / 1024 ** 2)} MB`;

/** @throws Obstacle when less than `bytes` are free where the folder lies. */
export function requireFree(path: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new Obstacle(
    `The disk that holds ${path} is nearly full (${inMb(free)} free, ${inMb(bytes)} needed to start): free some space, or use another folder with --data DIR.`,
  );
}
