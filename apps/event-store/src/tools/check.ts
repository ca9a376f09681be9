import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import { messageOf } from '#platform';
import type { Database } from '../storage/database.js';
import { bytesOf, checksumOf, TOMBSTONE } from '../storage/event.js';
import { requireKnownSchema } from '../storage/migrations.js';
import { databaseFileOf, endReading } from './database-file.js';

/** Something that is not as it was written. What can be told of its place is told. */
interface Problem {
  readonly what: 'file' | 'event' | 'gap';
  readonly stream?: string | undefined;
  readonly revision?: number | undefined;
  readonly position?: number | undefined;
  readonly detail: string;
}

export interface CheckReport {
  readonly streams: number;
  readonly events: number;
  /** Empty when everything is as it was written. The first thousand; `found` counts all. */
  readonly problems: readonly Problem[];
  readonly found: number;
}

type Row = [number, number, number, number, Uint8Array, number, number, number, Uint8Array | null, Uint8Array | null];
type IndexEntry = [stream: number, revision: number, position: number];

const PAGE = 256;
const TOLD = 1000;
const OK = 'ok';

/**
 * Checks a data folder or a backup and changes nothing: the file's own structure, every event's checksum, and that the
 * revisions of every stream follow each other from where it begins (0, or what a scavenge has kept) to its end.
 * Works beside a running server, on what was committed when it began.
 * @throws Misconfigured when there are no events, or a newer version has written them
 */
export function checkStore(folderOrFile: string): CheckReport {
  const database = openToRead(databaseFileOf(folderOrFile));
  try {
    return new Check(database).run();
  } finally {
    endReading(database);
  }
}

/** Without a write-ahead file nobody has the database open, and reading needs not even the right to write there. */
function openToRead(file: string): Database {
  const location = existsSync(`${file}-wal`) ? file : `${pathToFileURL(file).href}?immutable=1`;
  return new DatabaseSync(location, { readOnly: true });
}

class Check {
  private readonly problems: Problem[] = [];
  private found = 0;
  /** Events whose rows cannot be read: the index may still know which they are. */
  private readonly unreadable = new Map<number, string>();
  private readonly streams = new Map<number, { readonly name: string; readonly base: number }>();
  private readonly types = new Map<number, string>();

  constructor(private readonly database: Database) {}

  run(): CheckReport {
    try {
      requireKnownSchema(this.database);
      this.database.exec('BEGIN');
      this.readNames();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.tell({ what: 'file', detail: `The database cannot be read: ${messageOf(error)}.` });
      return this.report(0);
    }
    this.whole('its structure', () => this.checkFile());
    const events = this.checkEvents();
    this.whole('the index of revisions', () => this.checkRevisions());
    for (const [position, detail] of this.unreadable) this.tell({ what: 'event', position, detail });
    return this.report(events);
  }

  private report(events: number): CheckReport {
    return { streams: this.streams.size, events, problems: this.problems, found: this.found };
  }

  private tell(problem: Problem): void {
    this.found += 1;
    if (this.problems.length < TOLD) this.problems.push(problem);
  }

  private whole(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.tell({ what: 'file', detail: `Not all of ${what} can be read: ${messageOf(error)}.` });
    }
  }

  private readNames(): void {
    for (const [id, name, base] of this.rows<[number, string, number]>('SELECT id, name, base FROM streams').all())
      this.streams.set(id, { name, base });
    for (const [id, name] of this.rows<[number, string]>('SELECT id, name FROM types').all()) this.types.set(id, name);
  }

  private checkFile(): void {
    const said = this.rows<[string]>('PRAGMA integrity_check(100)').all();
    for (const [detail] of said) if (detail !== OK) this.tell({ what: 'file', detail });
  }

  private checkEvents(): number {
    const columns = 'position, stream, revision, type, id, created, json, checksum, metadata, data';
    const page = this.rows<Row>(`SELECT ${columns} FROM events WHERE position>? ORDER BY position LIMIT ${PAGE}`);
    const one = this.rows<Row>(`SELECT ${columns} FROM events WHERE position=?`);
    const last = this.lastPosition();
    let events = 0;
    for (let beyond = 0; beyond < last; ) {
      const rows = this.pageOr(() => page.all(beyond), { beyond, last, one });
      for (const row of rows) this.checkEvent(row);
      events += rows.length;
      beyond = rows.length === PAGE ? Math.max(beyond + 1, rows.at(-1)?.[0] ?? 0) : beyond + PAGE;
    }
    return events;
  }

  /** A page that cannot be read as a whole is read event by event, to name those that are lost. */
  private pageOr(
    page: () => Row[],
    { beyond, last, one }: { beyond: number; last: number; one: { all(position: number): Row[] } },
  ): Row[] {
    try {
      const rows = page();
      return rows;
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    const rows: Row[] = [];
    for (let position = beyond + 1; position <= Math.min(last, beyond + PAGE); position += 1) {
      try {
        rows.push(...one.all(position));
      } catch (error) {
        this.unreadable.set(position, `It cannot be read: ${messageOf(error)}.`);
      }
    }
    return rows;
  }

  private lastPosition(): number {
    try {
      return this.rows<[number | null]>('SELECT max(position) FROM events').all()[0]?.[0] ?? 0;
    } catch {
      return (
        this.rows<[number | null]>('SELECT max(position) FROM events INDEXED BY events_by_revision').all()[0]?.[0] ?? 0
      );
    }
  }

  private checkEvent([position, stream, revision, type, id, created, json, checksum, metadata, data]: Row): void {
    const name = this.streams.get(stream)?.name;
    const typeName = this.types.get(type);
    const place = { what: 'event', stream: name, revision, position } as const;
    if (name === undefined) return this.tell({ ...place, detail: `Its stream (number ${stream}) has no name.` });
    if (typeName === undefined) return this.tell({ ...place, detail: `Its type (number ${type}) has no name.` });
    const event = { stream: name, revision, type: typeName, id, created, json: json === 1 };
    if (checksumOf({ ...event, metadata: bytesOf(metadata), data: bytesOf(data) }) !== checksum)
      this.tell({ ...place, detail: 'Its checksum is wrong: it is not what was written.' });
  }

  private checkRevisions(): void {
    const entries = this.rows<IndexEntry>(
      'SELECT stream, revision, position FROM events INDEXED BY events_by_revision ORDER BY stream, revision',
    );
    let current: number | undefined;
    let wanted = 0;
    for (const [stream, revision, position] of entries.iterate()) {
      if (stream !== current) wanted = this.streams.get(stream)?.base ?? 0;
      current = stream;
      if (revision !== wanted && revision !== TOMBSTONE) this.tellGap(stream, wanted, revision);
      wanted = revision + 1;
      const lost = this.unreadable.get(position);
      if (lost === undefined) continue;
      this.unreadable.delete(position);
      this.tell({ what: 'event', stream: this.streams.get(stream)?.name, revision, position, detail: lost });
    }
  }

  private tellGap(stream: number, wanted: number, found: number): void {
    const name = this.streams.get(stream)?.name;
    this.tell({
      what: 'gap',
      stream: name,
      revision: wanted,
      detail: `Revision ${found} is there where ${wanted} has to be.`,
    });
  }

  private rows<R>(sql: string): { all(...values: number[]): R[]; iterate(): IterableIterator<R> } {
    const statement = this.database.prepare(sql);
    statement.setReturnArrays(true);
    return {
      all: (...values) => statement.all(...values) as R[],
      iterate: () => statement.iterate() as IterableIterator<R>,
    };
  }
}

const isDamage = (error: unknown): boolean => /malformed|not a database|corrupt|disk I\/O/i.test(messageOf(error));
