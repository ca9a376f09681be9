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
  /** The longest that an append had to wait for a slice and its commit (ms). */
  readonly longestSliceMs: number;
  readonly ms: number;
}

/** A slice removes at most so many events, or so many bytes and one event more: what its commit has to write. */
const SLICE_EVENTS = 200;
const SLICE_BYTES = 1024 * 1024;
/** It is done step by step, and ends with the step at which it has taken so long (ms). */
const SLICE_MS = 25;
const STEP_EVENTS = 20;
const STEP_BYTES = 128 * 1024;
const NAMES_AT_A_TIME = 100;
/** Pages given back to the file system in one slice, and in one step of it. */
const SLICE_PAGES = 64;
const STEP_PAGES = 8;

/**
 * Removes what no reader of a stream can see any more: what `$maxCount`, `$maxAge` and `$tb` hide, what came before a
 * deletion or a tombstone, and all but the newest metadata.
 *
 * 1. What stays keeps its revision and its position: `streams.base` remembers where a stream begins.
 * 2. It works in slices, each within one ordinary commit together with the appends of that moment, and rests between
 *    them for as long as a slice has taken. A slice that is slow is short: it looks at the time after each step.
 *    A crash loses at most the last slice; the next scavenge goes on.
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
    /** Measures slices (ms). */
    private readonly stopwatch: () => number = () => performance.now(),
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

  /** Does one piece of work inside a commit, then leaves the others alone for as long as both took. */
  private async slice<T>(total: { longestSliceMs: number }, work: () => T): Promise<T> {
    let started = 0;
    const result = await this.log.commits.submit(() => {
      started = this.stopwatch();
      return work();
    });
    const ms = this.stopwatch() - started;
    total.longestSliceMs = Math.max(total.longestSliceMs, Math.round(ms * 10) / 10);
    await pause(ms);
    return result;
  }

  /** Does steps of a slice until there is none left or its time is over. */
  private inTime(step: () => boolean): void {
    const over = this.stopwatch() + SLICE_MS;
    while (step() && this.stopwatch() < over);
  }

  private removeFrom(stream: string): { events: number; bytes: number; end: boolean } {
    const state = this.log.streams.get(stream);
    const removable = this.removable(state);
    if (removable.length === 0) return { events: 0, bytes: 0, end: true };
    this.log.commits.begin();
    let events = 0;
    let bytes = 0;
    this.inTime(() => {
      const step = bounded(removable.slice(events), STEP_EVENTS, STEP_BYTES);
      this.removal.run(state.id, (step.at(-1)?.revision ?? 0) + 1);
      events += step.length;
      bytes += bytesOf(step);
      return events < removable.length;
    });
    const base = (removable[events - 1]?.revision ?? 0) + 1;
    this.keep.run(String(this.log.lastPosition));
    this.setBase.run(base, state.id);
    state.base = base;
    return { events, bytes, end: events === removable.length && events < SLICE_EVENTS && bytes < SLICE_BYTES };
  }

  /** The oldest events of the stream that nobody can see, as many as a slice may remove. */
  private removable(state: StreamState): readonly Oldest[] {
    if (state.id === undefined) return [];
    const { from, oldest } = this.limits(state);
    const found = this.oldest.all(state.id, state.base) as unknown as Oldest[];
    const kept = found.findIndex(
      ({ revision, created }) => (revision >= from && created >= oldest) || revision === TOMBSTONE,
    );
    return bounded(kept < 0 ? found : found.slice(0, kept), SLICE_EVENTS, SLICE_BYTES);
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
        let pages = 0;
        this.inTime(() => {
          this.database.exec(`PRAGMA incremental_vacuum(${STEP_PAGES})`);
          pages += STEP_PAGES;
          return pages < SLICE_PAGES;
        });
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

interface Oldest {
  readonly revision: number;
  readonly created: number;
  readonly bytes: number;
}

const bytesOf = (events: readonly Oldest[]): number => events.reduce((sum, { bytes }) => sum + bytes, 0);

/** The first of them: at most so many, and none after the one with which there are so many bytes. */
function bounded(events: readonly Oldest[], most: number, mostBytes: number): readonly Oldest[] {
  let bytes = 0;
  const full = events.findIndex((event) => {
    bytes += event.bytes;
    return bytes >= mostBytes;
  });
  return events.slice(0, Math.min(most, full < 0 ? most : full + 1));
}
