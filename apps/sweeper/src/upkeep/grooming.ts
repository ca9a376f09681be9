/**
 * Once a day one sweeper goes through the log and removes what nobody needs: the notes of runs that ended long ago, and
 * blobs that no event names.
 *
 * G1  The claim is recorded at the expected revision: one of several sweepers has the day. When it dies on the way, the
 *     rest is done after a quarter of a day.
 * G2  Ages are reckoned by the log's own clock: from its entry of the claim.
 * G3  It reads slowly, and remembers a bounded number of blobs.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { momentOf, SCHEMA_VERSION, streams, UPKEEP_DAYS, UpkeepEvent } from '#contracts';
import { type EventLog, type Expected, type StoredEvent, WrongRevision } from '#log';
import { type Clock, type Logger, newId } from '#platform';
import { removeUnnamedBlobs } from './blobs.js';
import { removeOldNotes } from './notes.js';

const DAY_MS = 86_400_000;
/** A claim without an end is given up after this long. */
const GIVEN_UP_MS = DAY_MS / 4;
const EVENTS_A_BREATH = 500;
const BREATH_MS = 100;

export interface GroomingParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly id: string;
  readonly signal: AbortSignal;
}

type Done = Extract<UpkeepEvent, { type: 'GroomingDone' }>['data'];

interface Book {
  readonly last: number | undefined;
  readonly begunAt: number;
  readonly done: { readonly at: number; readonly data: Done } | undefined;
}

export class Grooming {
  private notBefore = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: GroomingParts) {}

  /** Grooms when the day is free. @returns what was done, if anything @throws Unavailable */
  async round(): Promise<Done | undefined> {
    const { log, clock, logger, id } = this.parts;
    if (clock.monotonic() < this.notBefore) return undefined;
    const book = await this.readBook();
    const claimed = isFree(book, clock.now()) ? await this.claim(book.last ?? 'absent') : undefined;
    this.notBefore = clock.monotonic() + GIVEN_UP_MS / 6;
    if (!claimed) return undefined;
    await log.limit(streams.upkeep, { days: UPKEEP_DAYS });
    const before = claimed.created - DAY_MS;
    const breathe = this.breaths();
    const notes = await removeOldNotes({ log, before, breathe }, book.done?.data.endsUpTo);
    const blobs = await removeUnnamedBlobs({ log, before, breathe }, book.done?.data.blobsUpTo);
    const data: Done = { at: momentOf(clock.now()), by: id, ...notes, ...blobs };
    await this.append({ type: 'GroomingDone', data }, 'any');
    logger.info({ ...data }, 'the log was groomed');
    return data;
  }

  private async readBook(): Promise<Book> {
    let last: number | undefined;
    let begunAt = Number.NEGATIVE_INFINITY;
    let done: Book['done'];
    for await (const { type, data, revision, created } of this.parts.log.read(streams.upkeep)) {
      const event = UpkeepEvent.safeParse({ type, data });
      last = revision;
      if (event.data?.type === 'GroomingBegun') begunAt = created;
      if (event.data?.type === 'GroomingDone') done = { at: created, data: event.data.data };
    }
    return { last, begunAt, done };
  }

  private async claim(expected: Expected): Promise<StoredEvent | undefined> {
    const { log, clock, id } = this.parts;
    try {
      const data = { at: momentOf(clock.now()), by: id };
      const { revision } = await this.append({ type: 'GroomingBegun', data }, expected);
      for await (const claim of log.read(streams.upkeep, revision, 1)) return claim;
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
    }
    return undefined;
  }

  private append({ type, data }: UpkeepEvent, expected: Expected) {
    const actor = { kind: 'service', id: this.parts.id };
    const metadata = { tenant: 'default', correlationId: streams.upkeep, actor, schemaVersion: SCHEMA_VERSION };
    return this.parts.log.append(streams.upkeep, [{ id: newId(), type, data, metadata }], expected);
  }

  /** To be called for every event that is read (G3). */
  private breaths(): () => Promise<void> {
    const { signal } = this.parts;
    let read = 0;
    return async () => {
      signal.throwIfAborted();
      read += 1;
      if (read % EVENTS_A_BREATH === 0) await pause(BREATH_MS, undefined, { signal, ref: false });
    };
  }
}

function isFree({ begunAt, done }: Book, now: number): boolean {
  const isDone = done !== undefined && done.at >= begunAt;
  return now - begunAt >= (isDone ? DAY_MS : GIVEN_UP_MS);
}
