import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from './database.js';
import { TOMBSTONE } from './event.js';
import type { EventLog } from './event-log.js';
import { firstKept, isTombstoned, type StreamState } from './streams.js';

export interface ScavengeReport {
  /** Streams of which something was removed. */
  readonly streams: number;
  readonly events: number;
  /** Bytes of data and metadata of the removed events. */
  readonly bytes: number;
  /** Bytes by which the file has become shorter. */
  readonly released: number;
  /** The longest that an append had to wait for a slice (ms). */
  readonly longestSliceMs: number;
  readonly ms: number;
}

/** A slice removes at most so many events, or so many bytes and one event more. */
const SLICE_EVENTS = 200;
const SLICE_BYTES = 1024 * 1024;
const NAMES_AT_A_TIME = 100;
/** Pages given back to the file system in one slice. */
const VACUUM_PAGES = 64;

/**
 * Removes what no reader of a stream can see any more: what `$maxCount`, `$maxAge` and `$tb` hide, what came before a
 * deletion or a tombstone, and all but the newest metadata.
 *
 * 1. What stays keeps its revision and its position: `streams.base` remembers where a stream begins.
 * 2. It works in slices, each within one ordinary commit together with the appends of that moment, and rests between
 *    them for as long as a slice has taken. A crash loses at most the last slice; the next scavenge goes on.
 * 3. Only a beginning of a stream is removed, never something in its middle: what stays is without gaps.
 */
export class Scavenger {
  private readonly metastreams;
  private readonly tombstones;
  private readonly nameOf;
  private readonly oldest;
  private readonly removal;
  private readonly setBase;
  private readonly keep;
  private running: Promise<ScavengeReport> | undefined;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly log: EventLog,
    private readonly now: () => number,
  ) {
    this.metastreams = database.prepare(
      `SELECT name FROM streams WHERE name > ? AND name >= '$$' AND name < '$%' ORDER BY name LIMIT ${NAMES_AT_A_TIME}`,
    );
    this.tombstones = database.prepare(
      `SELECT stream, position FROM events INDEXED BY events_by_type
       WHERE type=(SELECT id FROM types WHERE name='$streamDeleted') AND position>? ORDER BY position LIMIT ${NAMES_AT_A_TIME}`,
    );
    this.nameOf = database.prepare('SELECT name FROM streams WHERE id=?');
    this.oldest = database.prepare(
      `SELECT revision, created, coalesce(length(data),0)+coalesce(length(metadata),0) AS bytes
       FROM events WHERE stream=? AND revision>=? ORDER BY revision LIMIT ${SLICE_EVENTS}`,
    );
    this.removal = database.prepare('DELETE FROM events WHERE stream=? AND revision<?');
    this.setBase = database.prepare('UPDATE streams SET base=? WHERE id=?');
    this.keep = database.prepare("INSERT OR REPLACE INTO settings (name, value) VALUES ('last-position', ?)");
  }

  /** Runs to the end; who asks while it runs is told of the same run. */
  run(): Promise<ScavengeReport> {
    this.running ??= this.scavenge().finally(() => (this.running = undefined));
    return this.running;
  }

  /** Ends a run after its slice. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running?.catch(() => undefined);
  }

  private async scavenge(): Promise<ScavengeReport> {
    const total = { streams: 0, events: 0, bytes: 0, released: 0, longestSliceMs: 0 };
    const started = performance.now();
    for await (const stream of this.candidates()) {
      let removed = 0;
      while (!this.stopped) {
        const slice = await this.slice(total, () => this.removeFrom(stream));
        total.events += slice.events;
        total.bytes += slice.bytes;
        removed += slice.events;
        if (slice.end) break;
      }
      if (removed > 0) total.streams += 1;
      if (this.stopped) break;
    }
    total.released = await this.shorten(total);
    return { ...total, ms: Math.round(performance.now() - started) };
  }

  /** Streams that may hold something to remove: those with metadata, their metadata itself, and the tombstoned. */
  private async *candidates(): AsyncGenerator<string> {
    for (let after = ''; ; ) {
      const names = (this.metastreams.all(after) as { name: string }[]).map(({ name }) => name);
      for (const name of names) yield* [name.slice(2), name];
      const last = names.at(-1);
      if (last === undefined) break;
      after = last;
      await pause(0);
    }
    for (let after = 0; ; ) {
      const found = this.tombstones.all(after) as { stream: number; position: number }[];
      for (const { stream } of found) yield (this.nameOf.get(stream) as { name: string }).name;
      const last = found.at(-1);
      if (last === undefined) return;
      after = last.position;
      await pause(0);
    }
  }

  /** Does one piece of work inside a commit, then leaves the others alone for as long as it took. */
  private async slice<T>(total: { longestSliceMs: number }, work: () => T): Promise<T> {
    let ms = 0;
    const result = await this.log.commits.submit(() => {
      const started = performance.now();
      const done = work();
      ms = performance.now() - started;
      return done;
    });
    total.longestSliceMs = Math.max(total.longestSliceMs, Math.round(ms * 10) / 10);
    await pause(ms);
    return result;
  }

  private removeFrom(stream: string): { events: number; bytes: number; end: boolean } {
    const state = this.log.streams.get(stream);
    if (state.id === undefined) return { events: 0, bytes: 0, end: true };
    const found = this.oldest.all(state.id, state.base) as { revision: number; created: number; bytes: number }[];
    const { from, oldest } = this.limits(state);
    let events = 0;
    let bytes = 0;
    for (const event of found) {
      if ((event.revision >= from && event.created >= oldest) || event.revision === TOMBSTONE) break;
      events += 1;
      bytes += event.bytes;
      if (bytes >= SLICE_BYTES) break;
    }
    const last = found[events - 1];
    if (!last) return { events, bytes, end: true };
    this.removeBefore(state, last.revision + 1);
    return { events, bytes, end: events < SLICE_EVENTS && bytes < SLICE_BYTES };
  }

  private removeBefore(state: StreamState, base: number): void {
    this.log.commits.begin();
    this.keep.run(String(this.log.lastPosition));
    this.removal.run(state.id, base);
    this.setBase.run(base, state.id);
    state.base = base;
  }

  /** The first revision to keep, and the moment of creation before which nothing is kept. */
  private limits(state: StreamState): { from: number; oldest: number } {
    const owner = state.name.startsWith('$$') ? this.log.streams.get(state.name.slice(2)) : undefined;
    if (isTombstoned(state) || (owner && isTombstoned(owner))) return { from: TOMBSTONE, oldest: 0 };
    return firstKept(state, this.now());
  }

  /** Gives free pages at the end of the file back to the file system. */
  private async shorten(total: { longestSliceMs: number }): Promise<number> {
    const before = this.pragma('page_count');
    for (let left = this.pragma('freelist_count'); !this.stopped && left > 0; ) {
      await this.slice(total, () => {
        this.log.commits.begin();
        this.database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
      });
      const now = this.pragma('freelist_count');
      if (now >= left) break;
      left = now;
    }
    return (before - this.pragma('page_count')) * this.pragma('page_size');
  }

  private pragma(name: 'freelist_count' | 'page_count' | 'page_size'): number {
    return (this.database.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name] ?? 0;
  }
}
