import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** What is written at once while the disk is filled, from much to little; a page is what a file system gives out. */
const BLOCKS = [1 << 25, 1 << 20, 1 << 12, 1 << 6];

/** A small disk of its own for the whole cluster, so that it can be filled without harm to the machine. */
export class Disk {
  private constructor(
    readonly folder: string,
    /** Why there is none, in the system's words: then nothing is ever filled. */
    readonly refusal: string | undefined,
  ) {}

  /** @param megabytes its size, in memory */
  static mount(folder: string, megabytes: number): Disk {
    mkdirSync(folder, { recursive: true });
    const result = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
      encoding: 'utf8',
    });
    const refusal = result.status === 0 ? undefined : (result.error?.message ?? result.stderr.trim());
    return new Disk(folder, refusal);
  }

  /** Leaves no byte to anybody. */
  async fill(): Promise<void> {
    if (this.refusal !== undefined) return;
    const file = await open(this.ballast, 'a');
    try {
      for (const bytes of BLOCKS) await writeUntilFull((block) => file.write(block), bytes);
    } finally {
      await file.close();
    }
  }

  makeRoom(): void {
    rmSync(this.ballast, { force: true });
  }

  freeMegabytes(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return Math.round((bavail * bsize) / (1 << 20));
  }

  unmount(): void {
    if (this.refusal === undefined) spawnSync('umount', ['-l', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get ballast(): string {
    return join(this.folder, 'ballast');
  }
}

type Write = (block: Buffer) => Promise<{ readonly bytesWritten: number }>;

async function writeUntilFull(write: Write, bytes: number): Promise<void> {
  const block = Buffer.alloc(bytes, 1);
  try {
    while ((await write(block)).bytesWritten === bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
