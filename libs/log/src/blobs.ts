/**
 * Large payloads by content hash (law 7), kept in the log itself: the stream `blob-<digest>` holds what it is going to
 * be, the chunks in order, and a last event that says how many there are. So there is one store to back up, and a blob is
 * there wherever the log is.
 *
 * K1  A blob is put, or renewed, before the event that names it, and stays for a day after that without being named. Who
 *     names one that was stored long ago renews it first.
 * K2  A blob that no event names for longer may be removed, at the very revision that was looked at: who renews it in
 *     between wins. Who finds after renewing that it was removed stores it again.
 */
import { createHash } from 'node:crypto';
import type { BlobRef } from '#contracts';
import { streams } from '#contracts';
import { type Clock, idOf, newId, sha256, systemClock, Unavailable, Unreadable } from '#platform';
import { WrongRevision } from './errors.js';
import type { EventLog, Expected, NewEvent, StoredEvent } from './event-log.js';

/** Chunks stay well below the log's limit of 1 MiB an append once they are written as base64. */
const CHUNK_BYTES = 600_000;
/** A blob that was stored or renewed so lately is not renewed again. A quarter of the day that it stays (K1). */
const FRESH_MS = 6 * 3_600_000;
const ATTEMPTS = 10;
/** How many events are read at once: a reader may take its time between them. */
const PAGE = 4;

/** All that is in the stream of a blob begins with this. */
export const BLOB_EVENTS = 'Blob';

export class Blobs {
  constructor(
    private readonly log: EventLog,
    private readonly clock: Pick<Clock, 'now'> = systemClock,
  ) {}

  /** Stores the content once; a second time is a quick no. */
  async put(content: Uint8Array, mediaType: string): Promise<BlobRef> {
    const ref = { digest: sha256(content), bytes: content.byteLength, mediaType };
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (await this.renew(ref.digest)) return ref;
      await this.write(ref, content);
    }
    throw new Unavailable(`The blob ${ref.digest} is being removed and stored at the same time; try again.`);
  }

  /** To be called before an event names a blob (K1); false when it is not there, or not whole. */
  async renew(digest: string): Promise<boolean> {
    const stream = streams.blob(digest);
    const last = await this.log.last(stream);
    if (!last || !(await this.isWhole(last))) return false;
    if (this.clock.now() - last.created < FRESH_MS) return true;
    const renewed = blobEvent(newId(), 'BlobRenewed', {});
    return (await this.appended(stream, [renewed], last.revision)) ? this.has(digest) : this.renew(digest);
  }

  async has(digest: string): Promise<boolean> {
    const last = await this.log.last(streams.blob(digest));
    return last !== undefined && (await this.isWhole(last));
  }

  /** What was renewed in the moment of its removal has nothing but that left (K2). */
  private async isWhole({ type, stream }: StoredEvent): Promise<boolean> {
    if (type === 'BlobRenewed') return (await this.first(stream))?.type !== 'BlobRenewed';
    return type === 'BlobStored';
  }

  /** @throws Unreadable when the blob is not there, not whole, or not what its name says. */
  async get(digest: string): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.whole(digest)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /**
   * The content piece by piece, a few chunks in memory. The last piece comes when all of it was what its name says.
   * @throws Unreadable when the blob is not there, not whole, or not what its name says.
   */
  async *whole(digest: string): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    let held: Buffer | undefined;
    for await (const { content } of this.chunks(streams.blob(digest), 0)) {
      if (held) yield held;
      hash.update(content);
      held = content;
    }
    if (hash.digest('hex') !== digest) throw missing(digest);
    if (held) yield held;
  }

  /**
   * The bytes from `first` to `last`, both included, piece by piece; only the chunks that they are in are read.
   * @throws Unreadable when they are not all there
   */
  async *part(
    digest: string,
    { first, last }: { readonly first: number; readonly last: number },
  ): AsyncGenerator<Buffer> {
    const stream = streams.blob(digest);
    let at = 0;
    let from = 0;
    for await (const { revision, content } of this.chunks(stream, 0)) {
      // All chunks but the last are as long as the first.
      const before = Math.floor(first / content.byteLength);
      at = before * content.byteLength;
      from = revision + before;
      break;
    }
    for await (const { content } of this.chunks(stream, from)) {
      const piece = content.subarray(Math.max(0, first - at), last + 1 - at);
      at += content.byteLength;
      if (piece.byteLength > 0) yield piece;
      if (at > last) return;
    }
    throw missing(digest);
  }

  private async *chunks(stream: string, from: number): AsyncGenerator<{ revision: number; content: Buffer }> {
    let next = from;
    let page: StoredEvent[];
    do {
      page = [];
      for await (const event of this.log.read(stream, next, PAGE)) page.push(event);
      for (const { revision, data } of page) {
        next = revision + 1;
        if (typeof data === 'object' && data !== null && 'base64' in data) {
          yield { revision, content: Buffer.from(String(data.base64), 'base64') };
        }
      }
    } while (page.length > 0);
  }

  /** Two writers of the same blob write the same events after the first; whoever comes second finds them there. */
  private async write(ref: BlobRef, content: Uint8Array): Promise<void> {
    const stream = streams.blob(ref.digest);
    const [first, last] = [await this.first(stream), await this.log.last(stream)];
    if (!first || !last) return await this.begin(ref, content);
    // A remnant of a removal, or begun by a version that did not say where.
    if (first.type !== 'BlobBegun') return await this.discard(stream, last.revision);
    const events = eventsOf(ref, content);
    for (let place = last.revision - first.revision + 1; place < events.length; place += 1) {
      const id = idOf(`${ref.digest}/${first.revision}/${place}`);
      const event = { ...events[place], id } as NewEvent;
      if (!(await this.appended(stream, [event], first.revision + place - 1))) return;
    }
  }

  /** What fits into one append is written whole at once. */
  private async begin(ref: BlobRef, content: Uint8Array): Promise<void> {
    const events = eventsOf(ref, content);
    await this.appended(
      streams.blob(ref.digest),
      content.byteLength <= CHUNK_BYTES ? events : events.slice(0, 1),
      'absent',
    );
  }

  private async first(stream: string): Promise<StoredEvent | undefined> {
    for await (const event of this.log.read(stream, 0, 1)) return event;
    return undefined;
  }

  private async appended(stream: string, events: readonly NewEvent[], expected: Expected): Promise<boolean> {
    try {
      await this.log.append(stream, events, expected);
      return true;
    } catch (error) {
      if (error instanceof WrongRevision) return false;
      throw error;
    }
  }

  private async discard(stream: string, at: number): Promise<void> {
    try {
      await this.log.remove(stream, at);
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
    }
  }
}

const missing = (digest: string): Unreadable => new Unreadable(`The blob ${digest} is not in the store, or not whole.`);

/** Everything that makes up a blob, in order. */
function eventsOf({ bytes, mediaType }: BlobRef, content: Uint8Array): readonly NewEvent[] {
  const chunks = Math.ceil(bytes / CHUNK_BYTES);
  const parts = Array.from({ length: chunks }, (_, chunk) =>
    Buffer.from(content.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)).toString('base64'),
  );
  return [
    blobEvent(newId(), 'BlobBegun', {}),
    ...parts.map((base64) => blobEvent(newId(), 'BlobChunkStored', { base64 })),
    blobEvent(newId(), 'BlobStored', { chunks, bytes, mediaType }),
  ];
}

const blobEvent = (id: string, type: string, data: object): NewEvent => ({ id, type, data, metadata: {} });
