import type { Database } from '../storage/database.js';

/** A page of names, and where the next one begins; absent at the end. */
export interface NamePage {
  readonly names: readonly string[];
  readonly next: string | undefined;
}

type Row = { readonly id: number; readonly name: string };

const BATCH = 200;
/** Names looked at for one page: who may read few of many streams pages on, and the server stays quick. */
const MOST = 2000;

/** The names of all streams, to look through. */
export class Catalogue {
  private readonly byAge;
  private readonly fromName;
  private readonly afterName;

  constructor(database: Database) {
    const rows = (beyond: string) => database.prepare(`SELECT id, name FROM streams WHERE ${beyond} LIMIT ${BATCH}`);
    this.byAge = rows('id<? ORDER BY id DESC');
    this.fromName = rows('name>=? ORDER BY name');
    this.afterName = rows('name>? ORDER BY name');
  }

  /** Streams by when they were first written to, the newest first; `from` is the `next` of the page before. */
  newest(from: string | undefined, limit: number, accepts: (name: string) => boolean): NamePage {
    const read = (cursor = String(Number.MAX_SAFE_INTEGER)) => this.byAge.all(Number(cursor)) as Row[];
    return collect({ read, cursorOf: ({ id }) => String(id), limit, accepts }, from);
  }

  /** Streams whose name begins so, by name. */
  beginning(prefix: string, from: string | undefined, limit: number, accepts: (name: string) => boolean): NamePage {
    const read = (cursor?: string) => {
      const rows = cursor === undefined ? this.fromName.all(prefix) : this.afterName.all(cursor);
      return (rows as Row[]).filter(({ name }) => name.startsWith(prefix));
    };
    return collect({ read, cursorOf: ({ name }) => name, limit, accepts }, from);
  }
}

interface Search {
  readonly read: (cursor?: string) => readonly Row[];
  readonly cursorOf: (row: Row) => string;
  readonly limit: number;
  readonly accepts: (name: string) => boolean;
}

function collect({ read, cursorOf, limit, accepts }: Search, from: string | undefined): NamePage {
  const names: string[] = [];
  let cursor = from;
  for (let looked = 0; looked < MOST; looked += BATCH) {
    const rows = read(cursor);
    for (const row of rows) {
      if (names.length === limit) return { names, next: cursor };
      cursor = cursorOf(row);
      if (accepts(row.name)) names.push(row.name);
    }
    if (rows.length < BATCH) return { names, next: undefined };
  }
  return { names, next: cursor };
}
