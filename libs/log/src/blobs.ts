import type { BlobRef } from '#contracts';
import { streams } from '#contracts';
import { idOf, sha256, Unreadable } from '#platform';
import { WrongRevision } from './errors.js';
import type { EventLog, NewEvent } from './event-log.js';

/** Chunks stay well below the log's limit of 1 MiB an append once they are written as base64. */
const CHUNK_BYTES = 600_000;

/**
 * Large payloads by content hash (law 7), kept in the log itself: the stream `blob-<digest>` holds the chunks in order
 * and a last event that says how many there are. So there is one store to back up, and a blob is there wherever the log is.
 */
export class Blobs {
  constructor(private readonly log: EventLog) {}

  /** Stores the content once; a second time is a quick no. */
  async put(content: Uint8Array, mediaType: string): Promise<BlobRef> {
    const ref = { digest: sha256(content), bytes: content.byteLength, mediaType };
    const stream = streams.blob(ref.digest);
    if (await this.has(ref.digest)) return ref;
    const chunks = Math.ceil(content.byteLength / CHUNK_BYTES);
    for (let chunk = 0; chunk < chunks; chunk += 1) {
      const bytes = content.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
      const data = { base64: Buffer.from(bytes).toString('base64') };
      await this.appendOnce(stream, blobEvent(ref.digest, 'BlobChunkStored', chunk, data), chunk);
    }
    const data = { chunks, bytes: ref.bytes, mediaType };
    await this.appendOnce(stream, blobEvent(ref.digest, 'BlobStored', chunks, data), chunks);
    return ref;
  }

  async has(digest: string): Promise<boolean> {
    return (await this.log.last(streams.blob(digest)))?.type === 'BlobStored';
  }

  /** @throws Unreadable when the blob is not there, not whole, or not what its name says. */
  async get(digest: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const event of this.log.read(streams.blob(digest))) {
      const { data } = event;
      if (typeof data === 'object' && data !== null && 'base64' in data) {
        parts.push(Buffer.from(String(data.base64), 'base64'));
      }
    }
    const content = Buffer.concat(parts);
    if (sha256(content) !== digest) throw new Unreadable(`The blob ${digest} is not in the store, or not whole.`);
    return content;
  }

  /** Two writers of the same blob write the same events; whoever comes second finds them there. */
  private async appendOnce(stream: string, event: NewEvent, revision: number): Promise<void> {
    try {
      await this.log.append(stream, [event], revision === 0 ? 'absent' : revision - 1);
    } catch (error) {
      if (!(error instanceof WrongRevision && (error.actual ?? -1) >= revision)) throw error;
    }
  }
}

function blobEvent(digest: string, type: string, place: number, data: object): NewEvent {
  return { id: idOf(`${digest}/${place}`), type, data, metadata: {} };
}
