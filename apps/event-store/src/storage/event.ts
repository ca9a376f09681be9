import { crc32 } from 'node:zlib';

/** An event as a client proposes it. */
export interface ProposedEvent {
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly type: string;
  readonly json: boolean;
  readonly metadata: Uint8Array;
  readonly data: Uint8Array;
}

/** An event as it was recorded. */
export interface RecordedEvent extends ProposedEvent {
  /** Its place in `$all`. */
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  /** Microseconds since 1970. */
  readonly created: number;
}

/** What the revision of a tombstone is in the database; on the wire it is 2^63-1. */
export const TOMBSTONE = Number.MAX_SAFE_INTEGER;
const WIRE_TOMBSTONE = '9223372036854775807';

export const wireRevision = (revision: number): string => (revision === TOMBSTONE ? WIRE_TOMBSTONE : String(revision));

const NOTHING = new Uint8Array(0);
export const bytesOf = (blob: Uint8Array | null): Uint8Array => blob ?? NOTHING;

/** CRC-32 over everything that makes the event what it is. */
export function checksumOf(event: Omit<RecordedEvent, 'position'>): number {
  const identity = crc32(`${event.stream}\0${event.revision}\0${event.type}\0${event.created}\0${Number(event.json)}`);
  return crc32(event.data, crc32(event.metadata, crc32(event.id, identity)));
}

const HEX = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** The 16 bytes of a UUID in text form, or undefined if it is none. */
export function uuidBytes(text: string): Buffer | undefined {
  return HEX.test(text) ? Buffer.from(text.replaceAll('-', ''), 'hex') : undefined;
}

export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
