import { chownSync, closeSync, constants, mkdirSync, openSync, readlinkSync } from 'node:fs';
import { codeOf, FileRefused } from '../errors.js';
import type { Owner } from '../sandbox.js';

const MAX_LINKS = 40;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A file's place: its folder, held open, and its name in it. `via` is a path that leads exactly there. */
export interface Place {
  readonly name: string;
  readonly via: string;
  /** The folder itself, by the handle that holds it. */
  readonly folder: string;
}

/**
 * Walks a path below `root` folder by folder, each held open and none entered by a link, so that a command that swaps
 * folders for links at the same time cannot lead anybody out. Links are followed by hand, within the workspace; the last
 * part may not be one after that. Absolute paths count from /workspace, as the commands see it.
 */
export class Beneath {
  constructor(
    private readonly root: string,
    private readonly owner: Owner | undefined,
  ) {}

  /**
   * Gives `use` the place that `path` names; its folder stays open until `use` is done.
   * @throws FileRefused when the path leads out of the workspace, or through something that is no folder.
   */
  async at<T>(path: string, use: (place: Place) => Promise<T>, options: { makeFolders?: boolean } = {}): Promise<T> {
    const walk = new Walk(this.root, path, options.makeFolders ? { owner: this.owner } : undefined);
    try {
      return await use(walk.go());
    } finally {
      walk.close();
    }
  }
}

class Walk {
  /** Open folders from the root down to where the walk is. */
  private readonly open: number[] = [];
  private ahead: string[];
  private links = 0;

  constructor(
    private readonly root: string,
    private readonly path: string,
    private readonly make: { readonly owner: Owner | undefined } | undefined,
  ) {
    this.ahead = partsOf(path);
  }

  go(): Place {
    this.open.push(openSync(this.root, FOLDER));
    for (;;) {
      const part = this.ahead.shift();
      if (part === undefined) return this.place('.');
      if (part === '..') this.up();
      else if (this.follow(part)) continue;
      else if (this.ahead.length === 0) return this.place(part);
      else this.enter(part);
    }
  }

  close(): void {
    for (const handle of this.open.splice(0)) closeSync(handle);
  }

  private get here(): string {
    return `/proc/self/fd/${this.open.at(-1)}`;
  }

  private place(name: string): Place {
    return { name, via: `${this.here}/${name}`, folder: this.here };
  }

  private up(): void {
    if (this.open.length < 2) throw new FileRefused(`${this.path} leads out of the workspace.`);
    closeSync(this.open.pop() as number);
  }

  /** When `part` is a link, puts what it says in front of the way ahead. */
  private follow(part: string): boolean {
    const target = linkTarget(`${this.here}/${part}`);
    if (target === undefined) return false;
    this.links += 1;
    if (this.links > MAX_LINKS) throw new FileRefused(`${this.path} goes through too many links.`);
    if (target.startsWith('/')) {
      if (!/^\/workspace(\/|$)/.test(target)) throw new FileRefused(`${this.path} leads out of the workspace.`);
      for (const handle of this.open.splice(1)) closeSync(handle);
    }
    this.ahead.unshift(...partsOf(target));
    return true;
  }

  private enter(part: string): void {
    const path = `${this.here}/${part}`;
    try {
      this.open.push(openSync(path, FOLDER));
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOENT') throw new FileRefused(`${this.path} goes through ${part}, which is no folder.`);
      if (!this.make) throw new FileRefused(`There is no ${this.path} in the workspace.`);
      mkdirSync(path);
      this.open.push(openSync(path, FOLDER));
      if (this.make.owner) chownSync(`${this.here}/.`, this.make.owner.uid, this.make.owner.gid);
    }
  }
}

function partsOf(path: string): string[] {
  const inside = /^\/workspace(\/|$)/.test(path) ? path.slice('/workspace'.length) : path;
  if (inside.startsWith('/') && inside === path) throw new FileRefused(`${path} lies outside of the workspace.`);
  return inside.split('/').filter((part) => part !== '' && part !== '.');
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
