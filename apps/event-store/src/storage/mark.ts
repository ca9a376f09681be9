import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { BatonError } from '#platform';

/** The database ends before what was acknowledged: something has taken its end away. */
class EndMissing extends BatonError {
  readonly code = 'end-missing';
  readonly remedy = 'tell';
}

const FILE = 'acknowledged';
const DIGITS = 16;
const line = (position: number): string => {
  const digits = String(position).padStart(DIGITS, '0');
  return `${digits} ${crc32(digits).toString(16).padStart(8, '0')}\n`;
};

/**
 * A witness beside the database: the position of the last acknowledged event. A write-ahead file that was cut off or
 * damaged looks to SQLite like one that was never longer, and opens without a word; the mark tells the difference.
 * It is written after the commit and not forced to the disk, so it is never ahead of a database with `synchronous=FULL`.
 */
export class Mark {
  private readonly descriptor: number;
  private marked = 0;

  constructor(private readonly folder: string) {
    this.descriptor = openSync(join(folder, FILE), 'a+', 0o600);
    closeSync(this.descriptor);
    this.descriptor = openSync(join(folder, FILE), 'r+');
  }

  /** @throws EndMissing when the database ends before this. */
  require(last: number): void {
    const marked = this.read();
    if (marked === undefined || marked <= last) return;
    throw new EndMissing(
      `The events end at position ${last}, but ${marked} was acknowledged: the database in ${this.folder} has lost its end. ` +
        `Restore a backup into a new folder; or, to go on without the lost events, remove the file ${FILE}.`,
    );
  }

  /** A mark that cannot be written stays behind, which does no harm. */
  set(position: number): void {
    if (position === this.marked) return;
    this.marked = position;
    try {
      writeSync(this.descriptor, line(position), 0);
    } catch {
      // The commit has succeeded: that is what counts.
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private read(): number | undefined {
    const text = readFileSync(join(this.folder, FILE), 'latin1');
    const position = Number(text.slice(0, DIGITS));
    return text === line(position) ? position : undefined;
  }
}
