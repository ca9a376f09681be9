import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { checkStore } from '../tools/check.js';
import { DATABASE_FILE, openStorage } from './database.js';
import type { RecordedEvent } from './event.js';
import { EventLog } from './event-log.js';
import { Reader } from './reader.js';

const STREAMS = 5;
const EVENTS = 300;
const streamOf = (n: number): string => `stream-${n % STREAMS}`;
const dataOf = (n: number): string => `event number ${n} `.repeat(1 + (n % 10) * 5);

let folder: string;
let sound: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'damage-'));
  sound = join(folder, 'sound');
  const { opened, log } = openIn(sound);
  const empty = new Uint8Array(0);
  for (let n = 0; n < EVENTS; n += 1) {
    const id = Buffer.alloc(16, n % 251);
    id.writeUInt32BE(n);
    const event = { id, type: `Type${n % 3}`, json: false, metadata: empty, data: Buffer.from(dataOf(n)) };
    await log.append({ stream: streamOf(n), expected: 'any', events: [event] });
  }
  opened.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openIn(data: string) {
  const opened = openStorage({ folder: data, sync: 'full' });
  try {
    const log = new EventLog(opened.database, Date.now, opened.mark);
    return { opened, log, reader: new Reader(opened.database, log, Date.now) };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** A copy of the sound folder with some bytes overwritten. */
function damaged(patches: readonly (readonly [offset: number, bytes: Uint8Array])[]): string {
  const copy = join(folder, 'copy');
  rmSync(copy, { recursive: true, force: true });
  cpSync(sound, copy, { recursive: true });
  const file = openSync(join(copy, DATABASE_FILE), 'r+');
  for (const [offset, bytes] of patches) writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
  return copy;
}

/** Every event that is served is one that was written, at its place. */
function expectWritten({ position, revision, stream, data, type }: RecordedEvent): void {
  const n = position - 1;
  expect([stream, revision, type]).toEqual([streamOf(n), Math.floor(n / STREAMS), `Type${n % 3}`]);
  expect(Buffer.from(data).toString()).toBe(dataOf(n));
}

/** What reading everything in every way has come to: all of it, an error, or an end that is not there any more. */
function readAll(data: string): ('whole' | 'failed' | 'short')[] {
  let open: ReturnType<typeof openIn>;
  try {
    open = openIn(data);
  } catch {
    return ['failed'];
  }
  const { opened, log, reader } = open;
  const outcomes = (['forwards', 'backwards'] as const).flatMap((direction) => [
    outcomeOf(() => [...reader.readAll(direction === 'forwards' ? 0 : 1e9, direction, 10_000).events], EVENTS),
    ...Array.from({ length: STREAMS }, (_, n) =>
      outcomeOf(
        () => reader.readStream(log.streams.get(streamOf(n)), direction === 'forwards' ? 0 : 1e9, direction, 10_000),
        EVENTS / STREAMS,
      ),
    ),
  ]);
  opened.close();
  return outcomes;
}

function outcomeOf(read: () => RecordedEvent[], wanted: number): 'whole' | 'failed' | 'short' {
  let events: RecordedEvent[];
  try {
    events = read();
  } catch {
    return 'failed';
  }
  for (const event of events) expectWritten(event);
  return events.length === wanted ? 'whole' : 'short';
}

describe('a damaged database', () => {
  it('is read whole when it is not damaged', () => {
    expect(new Set(readAll(damaged([])))).toEqual(new Set(['whole']));
  });

  it('never yields an event that was not written; what it does not notice by itself, the check does', () => {
    const size = statSync(join(sound, DATABASE_FILE)).size;
    const patch = fc.tuple(fc.integer({ min: 0, max: size - 8 }), fc.uint8Array({ minLength: 1, maxLength: 8 }));
    const property = fc.property(fc.array(patch, { minLength: 1, maxLength: 4 }), (patches) => {
      const copy = damaged(patches);
      if (readAll(copy).includes('short')) expect(checkStore(copy).found).toBeGreaterThan(0);
    });
    fc.assert(property, { numRuns: 40, endOnFailure: true });
  });
});

describe('a write-ahead file that lost its end', () => {
  /** A folder as a killed server leaves it: the last appends are in the write-ahead file only. */
  async function killed(): Promise<{ copy: string; wal: string }> {
    const { opened, log } = openIn(damaged([]));
    for (let n = EVENTS; n < EVENTS + 20; n += 1) {
      const event = {
        id: Buffer.alloc(16, n),
        type: 'Late',
        json: false,
        metadata: Buffer.alloc(0),
        data: Buffer.alloc(9),
      };
      await log.append({ stream: 'late', expected: 'any', events: [event] });
    }
    const copy = join(folder, 'killed');
    rmSync(copy, { recursive: true, force: true });
    cpSync(join(folder, 'copy'), copy, { recursive: true });
    opened.close();
    return { copy, wal: join(copy, `${DATABASE_FILE}-wal`) };
  }

  it('is noticed, whether it was cut or overwritten: acknowledged events are not missed in silence', async () => {
    const cut = await killed();
    truncateSync(cut.wal, Math.floor(statSync(cut.wal).size / 2));
    expect(() => openIn(cut.copy)).toThrow(/events end at position 3\d\d, but 320 was acknowledged/);
    const gone = await killed();
    rmSync(gone.wal);
    expect(() => openIn(gone.copy)).toThrow(
      /events end at position 300, but 320 was acknowledged.*[Rr]estore a backup/,
    );
    const overwritten = await killed();
    const bytes = readFileSync(overwritten.wal);
    const file = openSync(overwritten.wal, 'r+');
    writeSync(file, Buffer.from('damaged'), 0, 7, Math.floor(bytes.length / 2));
    closeSync(file);
    expect(() => openIn(overwritten.copy)).toThrow(/was acknowledged/);
  });

  it('is whole after a kill, and everything is there', async () => {
    const { copy } = await killed();
    const { opened, log } = openIn(copy);
    expect(log.lastPosition).toBe(EVENTS + 20);
    opened.close();
  });

  it('is let pass once the mark is removed on purpose', async () => {
    const { copy, wal } = await killed();
    rmSync(wal);
    rmSync(join(copy, 'acknowledged'));
    const { opened, log } = openIn(copy);
    expect(log.lastPosition).toBe(EVENTS);
    opened.close();
  });
});
