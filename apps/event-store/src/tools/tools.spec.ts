import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { DATABASE_FILE, openStorage } from '../storage/database.js';
import type { ProposedEvent } from '../storage/event.js';
import { EventLog } from '../storage/event-log.js';
import { Reader } from '../storage/reader.js';
import { backUp } from './backup.js';
import { checkStore } from './check.js';
import { scavengeFolder } from './scavenge.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tools-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const anEvent = (data = Buffer.from('what happened')): ProposedEvent => ({
  id: crypto.getRandomValues(new Uint8Array(16)),
  type: 'Happened',
  json: false,
  metadata: new Uint8Array(0),
  data,
});
const openLog = (at = join(folder, 'data')) => {
  const opened = openStorage({ folder: at, sync: 'full' });
  const log = new EventLog(opened.database, Date.now, opened.mark);
  return { opened, log, reader: new Reader(opened.database, log, Date.now) };
};
const append = (log: EventLog, stream: string, count: number) =>
  log.append({ stream, expected: 'any', events: Array.from({ length: count }, () => anEvent()) });
/** A folder of ten streams with a hundred events each. */
async function fill(): Promise<string> {
  const { opened, log } = openLog();
  for (let stream = 0; stream < 10; stream += 1) await append(log, `stream-${stream}`, 100);
  opened.close();
  return join(folder, 'data');
}
/** Changes the database as nobody should. */
function tamper(data: string, sql: string): void {
  const database = new DatabaseSync(join(data, DATABASE_FILE));
  database.exec(sql);
  database.close();
}
/** Overwrites bytes of the file where this text stands. */
function overwrite(data: string, text: string, by: string): void {
  const file = join(data, DATABASE_FILE);
  const bytes = readFileSync(file);
  const at = bytes.indexOf(text);
  expect(at).toBeGreaterThan(0);
  bytes.write(by, at);
  writeFileSync(file, bytes);
}

describe('a backup', () => {
  it('is one moment of a log that is written to meanwhile; a server starts with it', async () => {
    const { opened, log } = openLog();
    await append(log, 'before', 5000);
    const file = join(folder, 'copy.sqlite');
    let done = false;
    const copied = backUp(join(folder, 'data'), file).finally(() => (done = true));
    let during = 0;
    while (!done) {
      await append(log, 'during', 2);
      during += 1;
    }
    const { position, bytes } = await copied;
    expect(during).toBeGreaterThan(1);
    expect(bytes).toBe(readFileSync(file).length);
    opened.close();
    expect(checkStore(file)).toMatchObject({ found: 0, events: position });

    const restored = join(folder, 'restored');
    mkdirSync(restored);
    copyFileSync(file, join(restored, DATABASE_FILE));
    const again = openLog(restored);
    expect(again.log.lastPosition).toBe(position);
    expect(again.reader.readStream(again.log.streams.get('before'), 0, 'forwards', 9000)).toHaveLength(5000);
    expect(await append(again.log, 'after', 1)).toMatchObject({ position: position + 1 });
    again.opened.close();
  });

  it('overwrites nothing, and leaves no half of a file behind', async () => {
    const data = await fill();
    const file = join(folder, 'copy.sqlite');
    writeFileSync(file, 'mine');
    await expect(backUp(data, file)).rejects.toThrow(/exists already/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await expect(backUp(data, join(folder, 'missing', 'copy.sqlite'))).rejects.toThrow(/could not be written/);
    await expect(backUp(join(folder, 'nowhere'), join(folder, 'b.sqlite'))).rejects.toThrow(/no events in/);
    expect(existsSync(join(folder, 'b.sqlite.part'))).toBe(false);
  });
});

describe('the check', () => {
  it('finds nothing in a sound folder, stopped or running, scavenged or not', async () => {
    const data = await fill();
    expect(checkStore(data)).toEqual({ streams: 10, events: 1000, problems: [], found: 0 });
    const { opened, log } = openLog();
    const metadata = { ...anEvent(Buffer.from('{"$maxCount":7}')), type: '$metadata' };
    await log.append({ stream: '$$stream-3', expected: 'any', events: [metadata] });
    expect(checkStore(data)).toMatchObject({ streams: 11, events: 1001, found: 0 });
    opened.close();
    expect(await scavengeFolder(data)).toMatchObject({ streams: 1, events: 93 });
    expect(checkStore(data)).toMatchObject({ streams: 11, events: 908, found: 0 });
  });

  it('names an event that is not what was written', async () => {
    const data = await fill();
    const { opened, log } = openLog();
    await log.append({ stream: 'stream-4', expected: 'any', events: [anEvent(Buffer.from('the very one'))] });
    opened.close();
    overwrite(data, 'the very one', 'another one');
    expect(checkStore(data)).toMatchObject({
      found: 1,
      problems: [{ what: 'event', stream: 'stream-4', revision: 100, position: 1001 }],
    });
  });

  it('names a revision that is missing, at the beginning and in the middle', async () => {
    const data = await fill();
    tamper(data, 'DELETE FROM events WHERE stream=2 AND revision=50; DELETE FROM events WHERE stream=5 AND revision<2');
    expect(checkStore(data).problems).toMatchObject([
      { what: 'gap', stream: 'stream-1', revision: 50 },
      { what: 'gap', stream: 'stream-4', revision: 0 },
    ]);
  });

  it('names events that have lost their stream or their type', async () => {
    const data = await fill();
    tamper(data, 'UPDATE events SET type=99 WHERE position=7; UPDATE events SET stream=88 WHERE position=1000');
    expect(checkStore(data).problems).toMatchObject([
      { what: 'event', stream: 'stream-0', revision: 6, position: 7 },
      { what: 'event', revision: 99, position: 1000 },
      { what: 'gap', revision: 0 },
    ]);
  });

  it('goes on beyond what cannot be read, and names it', async () => {
    const data = await fill();
    const file = join(data, DATABASE_FILE);
    const database = new DatabaseSync(file);
    const pages = database
      .prepare("SELECT pageno FROM dbstat WHERE name='events' AND pagetype='leaf' ORDER BY pageno")
      .all() as { pageno: number }[];
    database.close();
    const bytes = readFileSync(file);
    const page = pages[Math.floor(pages.length / 2)]?.pageno ?? 0;
    bytes.fill(0xa5, (page - 1) * 4096, (page - 1) * 4096 + 200);
    writeFileSync(file, bytes);
    const report = checkStore(data);
    const lost = report.problems.filter(({ what, position }) => what === 'event' && position !== undefined);
    expect(lost.length).toBeGreaterThan(5);
    expect(report.events + lost.length).toBe(1000);
    for (const { stream, revision, position = 0 } of lost) {
      expect(stream).toBe(`stream-${Math.floor((position - 1) / 100)}`);
      expect(revision).toBe((position - 1) % 100);
    }
  });

  it('says so when the file is no database or there is none', async () => {
    const data = await fill();
    writeFileSync(join(data, DATABASE_FILE), 'not a database at all, though long enough to be looked at'.repeat(100));
    expect(checkStore(data)).toMatchObject({ found: 1, problems: [{ what: 'file' }] });
    expect(() => checkStore(join(folder, 'nowhere'))).toThrow(/no events in/);
  });
});

describe('a folder of another version', () => {
  it('of a newer one is refused with a sentence, by the server and by the check', async () => {
    const data = await fill();
    tamper(data, 'PRAGMA user_version=999');
    const refused = /was written by a newer version \(schema 999, .*\): start that version/;
    expect(() => openLog()).toThrow(refused);
    expect(() => checkStore(data)).toThrow(refused);
  });

  it('of the first one is brought up to date, with everything in it', async () => {
    const data = join(folder, 'data');
    mkdirSync(data);
    const id = '0123456789abcdef0123456789abcdef';
    tamper(
      data,
      `${SCHEMA_1}
      INSERT INTO streams VALUES (1, 'order-1', 0), (2, '$$order-1', 0);
      INSERT INTO types VALUES (1, 'Placed'), (2, '$metadata');
      INSERT INTO events VALUES
        (1, 1, 0, 1, x'${id}', 1700000000000000, 1, 1113096171, NULL, '{"n":1}'),
        (2, 2, 0, 2, x'${id}', 1700000000000001, 1, 4150256468, NULL, '{"$maxCount":5}');
      PRAGMA user_version=1;`,
    );
    const { opened, log, reader } = openLog();
    const [event] = reader.readStream(log.streams.get('order-1'), 0, 'forwards', 10);
    expect(event).toMatchObject({ type: 'Placed', revision: 0, position: 1, created: 1_700_000_000_000_000 });
    expect(log.streams.get('order-1').policy).toEqual({ maxCount: 5 });
    expect(await append(log, 'order-1', 1)).toMatchObject({ revision: 1, position: 3 });
    opened.close();
    expect(checkStore(data)).toMatchObject({ streams: 2, events: 3, found: 0 });
  });
});

/** The schema as it was first released. */
const SCHEMA_1 = `
  PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;
  CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, base INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE types (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    type INTEGER NOT NULL,
    id BLOB NOT NULL,
    created INTEGER NOT NULL,
    json INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    metadata BLOB,
    data BLOB);
  CREATE UNIQUE INDEX events_by_revision ON events (stream, revision);
  CREATE INDEX events_by_type ON events (type, position);
  CREATE INDEX events_by_id ON events (stream, id);
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`;
