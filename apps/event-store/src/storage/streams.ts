import type { Database } from './database.js';
import { TOMBSTONE } from './event.js';
import { RecentMap } from './names.js';
import { isMetastream, isSoftDeleted, metastreamOf, NO_POLICY, type Policy, policyOf } from './policy.js';

/** What an append needs to know about a stream. */
export interface StreamState {
  readonly name: string;
  /** Absent until the stream has its first event. */
  id: number | undefined;
  /** The first revision that a scavenge has kept. */
  base: number;
  /** The last revision; -1 when there is none. */
  last: number;
  policy: Policy;
}

/** A metastream keeps its newest event only. */
const METASTREAM_POLICY: Policy = { maxCount: 1 };
const KEPT_IN_MEMORY = 50_000;
/** Where SQLite ends a text: a name with it would be taken for another stream, so there is none. */
export const NUL = '\0';

/** The state of streams, read when first asked for and kept while it is used. */
export class Streams {
  private readonly states = new RecentMap<string, StreamState>(KEPT_IN_MEMORY);
  private readonly names = new RecentMap<number, string>(KEPT_IN_MEMORY);
  private readonly byName;
  private readonly byId;
  private readonly insert;
  private readonly lastRevision;
  private readonly lastData;

  constructor(database: Database) {
    this.byName = database.prepare('SELECT id, base FROM streams WHERE name=?');
    this.byId = database.prepare('SELECT name FROM streams WHERE id=?');
    this.insert = database.prepare('INSERT INTO streams (name) VALUES (?) RETURNING id');
    this.lastRevision = database.prepare('SELECT max(revision) AS last FROM events WHERE stream=?');
    this.lastData = database.prepare('SELECT data FROM events WHERE stream=? ORDER BY revision DESC LIMIT 1');
  }

  get(name: string): StreamState {
    return this.states.get(name) ?? this.states.set(name, this.load(name));
  }

  nameOf(id: number): string {
    return this.names.get(id) ?? this.names.set(id, (this.byId.get(id) as { name: string } | undefined)?.name ?? '');
  }

  /** The id under which the stream's events are stored, made when it is first needed. */
  idOf(state: StreamState): number {
    state.id ??= (this.insert.get(state.name) as { id: number }).id;
    return state.id;
  }

  /** After a rolled-back transaction: what was remembered may not be true. */
  forget(): void {
    this.states.clear();
    this.names.clear();
  }

  private load(name: string): StreamState {
    const row = name.includes(NUL) ? undefined : (this.byName.get(name) as { id: number; base: number } | undefined);
    const policy = isMetastream(name) ? METASTREAM_POLICY : this.policy(name);
    if (!row) return { name, id: undefined, base: 0, last: -1, policy };
    const { last } = this.lastRevision.get(row.id) as { last: number | null };
    return { name, id: row.id, base: row.base, last: last ?? row.base - 1, policy };
  }

  private policy(name: string): Policy {
    const row = this.byName.get(metastreamOf(name)) as { id: number } | undefined;
    const newest = row && (this.lastData.get(row.id) as { data: Uint8Array | null } | undefined);
    return newest?.data ? policyOf(newest.data) : NO_POLICY;
  }
}

export const isTombstoned = (state: StreamState): boolean => state.last === TOMBSTONE;

/** For a reader there is no such stream: it never was, or it was deleted and not written to since. */
export const isAbsent = (state: StreamState): boolean => state.last < 0 || isSoftDeleted(state.policy);

/** The first revision that `$tb`, `$maxCount` and scavenges leave visible. */
export function firstVisible({ base, last, policy }: StreamState): number {
  return Math.max(base, policy.truncateBefore ?? 0, policy.maxCount === undefined ? 0 : last - policy.maxCount + 1);
}

/** Events created before this moment (in microseconds) have outlived `$maxAge`; 0 when nothing does. */
export const oldestVisible = ({ policy }: StreamState, nowMs: number): number =>
  policy.maxAge === undefined ? 0 : Math.floor((nowMs - policy.maxAge * 1000) * 1000);

/** What a scavenge keeps of a stream: all from this revision on that is not older than this moment (in microseconds). */
export const firstKept = (state: StreamState, nowMs: number): { from: number; oldest: number } => ({
  from: Math.min(firstVisible(state), state.last + 1),
  oldest: oldestVisible(state, nowMs),
});
