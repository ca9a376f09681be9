import { TextDecoder } from 'node:util';
import { invalid, missingMetadata } from '../grpc/refusal.js';
import { type ProposedEvent, type RecordedEvent, uuidBytes, uuidText, wireRevision } from '../storage/event.js';
import type { Expected } from '../storage/expectation.js';
import { NUL } from '../storage/streams.js';

/** `google.protobuf.Empty` */
export type Nothing = Readonly<Record<string, never>>;
export const NOTHING: Nothing = {};

export interface WireUuid {
  readonly string?: string;
  readonly structured?: { readonly mostSignificantBits?: string; readonly leastSignificantBits?: string };
}

export interface WireStream {
  readonly streamName?: Uint8Array;
}

export interface WirePosition {
  readonly commitPosition?: string;
  readonly preparePosition?: string;
}

export interface WireProposed {
  readonly id?: WireUuid;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly customMetadata?: Uint8Array;
  readonly data?: Uint8Array;
}

/** What a writer expects, on Append, Delete and Tombstone. */
export interface WireExpectation {
  readonly streamIdentifier?: WireStream;
  readonly expectedStreamRevision?: 'revision' | 'noStream' | 'any' | 'streamExists';
  readonly revision?: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NO_BYTES = new Uint8Array(0);

/** @throws Refusal when there is no name, or it is no UTF-8. */
export function streamNameOf(identifier: WireStream | undefined): string {
  const bytes = identifier?.streamName;
  if (!bytes?.length) throw invalid('The stream has no name: give one.');
  if (bytes.includes(0)) throw invalid('The name of the stream contains a NUL character, which no name may.');
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalid('The name of the stream is not UTF-8.');
  }
}

export const streamIdentifier = (stream: string) => ({ streamName: Buffer.from(stream, 'utf8') });

export function uuidOf(uuid: WireUuid | undefined): Uint8Array {
  if (uuid?.structured) {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64BE(BigInt(uuid.structured.mostSignificantBits ?? 0), 0);
    bytes.writeBigInt64BE(BigInt(uuid.structured.leastSignificantBits ?? 0), 8);
    return bytes;
  }
  const bytes = uuidBytes(uuid?.string ?? '');
  if (!bytes) throw invalid(`${JSON.stringify(uuid?.string ?? '')} is no UUID: an event id must be one.`);
  return bytes;
}

/** @throws Refusal when the id is no UUID, or the type or content type is missing. */
export function proposedEvent({ id, metadata = {}, customMetadata, data }: WireProposed): ProposedEvent {
  const { type, 'content-type': contentType } = metadata;
  if (!type) throw missingMetadata('type');
  if (!contentType) throw missingMetadata('content-type');
  if (type.includes(NUL)) throw invalid('The type of the event contains a NUL character, which no name may.');
  return {
    id: uuidOf(id),
    type,
    json: contentType === 'application/json',
    metadata: customMetadata ?? NO_BYTES,
    data: data ?? NO_BYTES,
  };
}

export function expectedOf({ expectedStreamRevision, revision }: WireExpectation): Expected {
  switch (expectedStreamRevision) {
    case 'revision':
      return BigInt(revision ?? 0);
    case 'noStream':
      return 'no-stream';
    case 'streamExists':
      return 'stream-exists';
    default:
      return 'any';
  }
}

export const positionOf = (position: number) => ({
  commitPosition: String(position),
  preparePosition: String(position),
});

/** A recorded event as it is sent; the id in the form that the reader asked for. */
export function recordedMessage(event: RecordedEvent, structuredIds: boolean): object {
  return {
    id: structuredIds ? structuredUuid(event.id) : { string: uuidText(event.id) },
    streamIdentifier: streamIdentifier(event.stream),
    streamRevision: wireRevision(event.revision),
    ...positionOf(event.position),
    metadata: {
      type: event.type,
      'content-type': event.json ? 'application/json' : 'application/octet-stream',
      created: `${event.created}0`,
    },
    customMetadata: event.metadata,
    data: event.data,
  };
}

function structuredUuid(id: Uint8Array): WireUuid {
  const bytes = Buffer.from(id.buffer, id.byteOffset, id.byteLength);
  return {
    structured: {
      mostSignificantBits: String(bytes.readBigInt64BE(0)),
      leastSignificantBits: String(bytes.readBigInt64BE(8)),
    },
  };
}
