import { statSync, truncateSync, writeFileSync } from 'node:fs';

const BYTES = 1024 * 1024;

/**
 * Room that is held back on the disk, so that on a full one a command can still be started: most likely the one that
 * makes room again.
 */
export class Ballast {
  constructor(private readonly file: string) {
    this.takeIn();
  }

  /** Gives the room away; false when there is none left to give. */
  drop(): boolean {
    const { size } = statSync(this.file, { throwIfNoEntry: false }) ?? { size: 0 };
    if (size === 0) return false;
    truncateSync(this.file, 0);
    return true;
  }

  /** Holds room back again, as far as there is some. */
  takeIn(): void {
    try {
      if (statSync(this.file, { throwIfNoEntry: false })?.size !== BYTES)
        writeFileSync(this.file, Buffer.alloc(BYTES, 1));
    } catch {
      // the disk is still full: what could be written stays, the next time may do better
    }
  }
}
