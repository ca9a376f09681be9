import { constants, type Dirent } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import type { z } from 'zod';
import type { builtInTools } from '#contracts';
import { newId, sha256 } from '#platform';
import { codeOf, FileRefused } from '../errors.js';
import type { EditDigests } from '../journal/entries.js';
import type { Owner } from '../sandbox.js';
import { Beneath, type Place } from './beneath.js';

interface Listing {
  readonly handle: FileHandle;
  readonly entries: readonly Dirent[];
}

type Input<T extends keyof typeof builtInTools> = z.infer<(typeof builtInTools)[T]['input']>;

/** Is given a file's path in the workspace and its content, which is read when it is asked for; undefined: too large. */
export type Visit = (path: string, content: () => Promise<Buffer | undefined>) => Promise<boolean>;

/** Files beyond this are for commands to look at. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** What a listing holds at most. */
const MAX_ENTRIES = 10_000;

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The tools that work on a workspace's files directly. Every method throws `FileRefused` with a text for the model. */
export class FileTools {
  private readonly beneath: Beneath;

  constructor(
    root: string,
    private readonly owner: Owner | undefined,
  ) {
    this.beneath = new Beneath(root, owner);
  }

  read({ path, offset = 0, limit }: Input<'read_file'>): Promise<Buffer> {
    return this.beneath.at(path, async (place) => {
      const { content } = await readWhole(place, path);
      if (offset === 0 && limit === undefined) return content;
      const lines = content.toString('utf8').split(/(?<=\n)/);
      const part = lines.slice(offset, limit === undefined ? undefined : offset + limit);
      if (part.length === 0) throw new FileRefused(`${path} has ${lines.length} lines; the offset is ${offset}.`);
      return Buffer.from(part.join(''));
    });
  }

  write({ path, content }: Input<'write_file'>): Promise<Buffer> {
    return this.beneath.at(
      path,
      async (place) => {
        const bytes = Buffer.from(content);
        await this.replace(place, path, bytes);
        return Buffer.from(`Wrote ${bytes.byteLength} bytes to ${path}.`);
      },
      { makeFolders: true },
    );
  }

  /** `note` is awaited before the change: with the digests it can be told afterwards whether the change was made. */
  edit({ path, old_text, new_text }: Input<'edit_file'>, note: (edit: EditDigests) => Promise<void>): Promise<Buffer> {
    return this.beneath.at(path, async (place) => {
      const { content } = await readWhole(place, path);
      const text = content.toString('utf8');
      if (!Buffer.from(text).equals(content)) throw new FileRefused(`${path} is no UTF-8 text; use a command.`);
      const found = text.split(old_text).length - 1;
      if (found !== 1) throw new FileRefused(`old_text occurs ${found} times in ${path}; it must occur exactly once.`);
      const changed = Buffer.from(text.replace(old_text, () => new_text));
      await note({ path, before: sha256(content), after: sha256(changed) });
      await this.replace(place, path, changed);
      return Buffer.from(`Edited ${path}: 1 replacement.`);
    });
  }

  list({ path = '.', depth = 1 }: Input<'list_files'>): Promise<Buffer> {
    return this.beneath.at(path, async (place) => {
      const lines: string[] = [];
      try {
        await listInto(lines, place.via, '', depth);
      } catch (error) {
        throw refusalOf(error, path);
      }
      const more = lines.length > MAX_ENTRIES ? [`[… more than ${MAX_ENTRIES} entries: list a folder of it …]`] : [];
      return Buffer.from([...lines.slice(0, MAX_ENTRIES), ...more].join('\n'));
    });
  }

  /** Goes through the regular files at and below a path, in order; `visit` answers whether to go on. */
  walk(path: string, visit: Visit): Promise<boolean> {
    return this.beneath.at(path, async (place) => {
      try {
        const found = await lstat(place.via);
        if (!found.isDirectory()) return await visitFile(place.via, path, visit);
        return await walkInto(place.via, path === '.' ? '' : `${path.replace(/\/+$/, '')}/`, visit);
      } catch (error) {
        throw refusalOf(error, path);
      }
    });
  }

  /** What became of an edit that was in work when the manager died. */
  digestOf(path: string): Promise<string> {
    return this.beneath.at(path, async (place) => sha256((await readWhole(place, path)).content));
  }

  /** Puts new content in a file's place at once, with the mode that the old one had. */
  private async replace(place: Place, path: string, content: Buffer): Promise<void> {
    if (place.name === '.') throw new FileRefused(`${path} is a folder.`);
    const old = await lstat(place.via).catch(() => undefined);
    if (old && !old.isFile()) throw new FileRefused(`${path} is not a file.`);
    const temporary = `${place.folder}/.${place.name.slice(0, 200)}.${newId().slice(-12)}`;
    try {
      const file = await open(temporary, CREATE, 0o600);
      try {
        await file.writeFile(content);
        if (this.owner) await file.chown(this.owner.uid, this.owner.gid);
        await file.chmod(old ? old.mode & 0o777 : 0o644);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, place.via);
    } catch (error) {
      await rm(temporary, { force: true });
      throw refusalOf(error, path);
    }
  }
}

async function readWhole(place: Place, path: string): Promise<{ content: Buffer }> {
  try {
    const file = await open(place.via, READ);
    try {
      const found = await file.stat();
      if (found.isDirectory()) throw new FileRefused(`${path} is a folder; use list_files.`);
      if (!found.isFile()) throw new FileRefused(`${path} is not a regular file.`);
      if (found.size > MAX_FILE_BYTES) {
        throw new FileRefused(
          `${path} has ${found.size} bytes, more than ${MAX_FILE_BYTES}; look at it with a command.`,
        );
      }
      return { content: await file.readFile() };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw refusalOf(error, path);
  }
}

async function listInto(lines: string[], folder: string, prefix: string, depth: number): Promise<void> {
  const { handle, entries } = await entriesOf(folder);
  try {
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (lines.length > MAX_ENTRIES) return;
      const name = `${prefix}${entry.name}`;
      lines.push(entry.isDirectory() ? `${name}/` : name);
      const below = `/proc/self/fd/${handle.fd}/${entry.name}`;
      if (entry.isDirectory() && depth > 1) await listInto(lines, below, `${name}/`, depth - 1);
    }
  } finally {
    await handle.close();
  }
}

async function walkInto(folder: string, prefix: string, visit: Visit): Promise<boolean> {
  const { handle, entries } = await entriesOf(folder);
  try {
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = `${prefix}${entry.name}`;
      const below = `/proc/self/fd/${handle.fd}/${entry.name}`;
      const goOn =
        entry.isDirectory() && entry.name !== '.git'
          ? await walkInto(below, `${name}/`, visit)
          : !entry.isFile() || (await visitFile(below, name, visit));
      if (!goOn) return false;
    }
    return true;
  } finally {
    await handle.close();
  }
}

const visitFile = (place: string, path: string, visit: Visit): Promise<boolean> =>
  visit(path, async () => {
    const file = await open(place, READ);
    try {
      const found = await file.stat();
      return found.isFile() && found.size <= MAX_FILE_BYTES ? await file.readFile() : undefined;
    } finally {
      await file.close();
    }
  });

/** Reads a folder by a handle that no link can lead astray. */
async function entriesOf(folder: string): Promise<Listing> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  return { handle, entries: await readdir(`/proc/self/fd/${handle.fd}`, { withFileTypes: true }) };
}

const REASONS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `There is no ${path} in the workspace.`,
  ENOTDIR: (path) => `${path} is not a folder.`,
  EISDIR: (path) => `${path} is a folder.`,
  ELOOP: (path) => `${path} has just become a link.`,
  ENAMETOOLONG: (path) => `${path} is too long a name.`,
  ENOSPC: (path) => `No space is left on the disk for ${path}; nothing was changed.`,
  EDQUOT: (path) => `No space is left on the disk for ${path}; nothing was changed.`,
};

/** What the file system says, for the model; anything unforeseen stays what it is. */
function refusalOf(error: unknown, path: string): unknown {
  const sentence = REASONS[codeOf(error) ?? '']?.(path);
  return sentence === undefined ? error : new FileRefused(sentence, { cause: error });
}
