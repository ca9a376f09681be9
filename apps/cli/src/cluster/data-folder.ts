import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Obstacle } from '../errors.js';
import { makeFolder, replaceFile, requireFree } from './disk.js';

/** Raised whenever a Baton could no longer go on with a data folder of the one before. */
const FORMAT = 1;
const FREE_BYTES_TO_START = 100 * 1024 ** 2;
/** What a file system or a desktop puts into a folder by itself, and the data folder of the demo, which may come first. */
const NOT_OURS_TO_MIND = new Set(['lost+found', '.DS_Store', 'demo']);

/** The one folder in which a local cluster keeps everything. */
export class DataFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  file = (...parts: readonly string[]): string => join(this.path, ...parts);
  readonly versionFile = (): string => this.file('version');
  readonly keyFile = (): string => this.file('api-key');
  readonly lockFile = (): string => this.file('cluster.lock');
  readonly portsFile = (): string => this.file('ports.json');
  readonly recordFile = (): string => this.file('cluster.json');
  readonly logs = (): string => this.file('logs');
  readonly logOf = (service: string): string => this.file('logs', `${service}.log`);

  /**
   * Makes the folder, or checks that the one there is ours, of this format, writable and not full.
   * @throws Obstacle with one sentence otherwise.
   */
  prepare(freeBytes = FREE_BYTES_TO_START): void {
    makeFolder(this.path);
    this.checkFormat();
    requireFree(this.path, freeBytes);
    replaceFile(this.versionFile(), `${FORMAT}\n`);
    makeFolder(this.logs());
  }

  /** The key of this cluster's API; made when there is none. */
  apiKey(): string {
    const present = existsSync(this.keyFile()) ? readFileSync(this.keyFile(), 'utf8').trim() : '';
    if (present !== '') return present;
    const made = `bk_${randomBytes(32).toString('base64url')}`;
    replaceFile(this.keyFile(), `${made}\n`);
    return made;
  }

  private checkFormat(): void {
    if (!existsSync(this.versionFile())) {
      const strangers = readdirSync(this.path).filter((name) => !NOT_OURS_TO_MIND.has(name) && !name.endsWith('.new'));
      if (strangers.length === 0) return;
      throw new Obstacle(
        `${this.path} is no data folder of Baton (it holds ${strangers[0]} and no version file): name an empty or new folder with --data DIR.`,
      );
    }
    const found = readFileSync(this.versionFile(), 'utf8').trim();
    if (found === String(FORMAT)) return;
    throw new Obstacle(
      `The data folder ${this.path} has format ${found || 'unknown'} and this Baton writes format ${FORMAT}: use the Baton that made it, or another folder with --data DIR.`,
    );
  }
}
