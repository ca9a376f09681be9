import type { RecordedEvent } from '../storage/event.js';
import { TOMBSTONE } from '../storage/event.js';

/** An event as one message of a read; with a link, the event is what the link points to, if that is there. */
export interface Delivered {
  readonly event: RecordedEvent | undefined;
  readonly link?: RecordedEvent | undefined;
  readonly position: number;
}

/** A length-prefixed field: its tag (one byte), the length, the bytes. */
const EVENT_IN_RESPONSE = 0x0a;
const EVENT = 0x0a;
const LINK = 0x12;
const COMMIT_POSITION = 0x18;
const RECORDED = {
  id: 0x0a,
  stream: 0x12,
  revision: 0x18,
  prepare: 0x20,
  commit: 0x28,
  metadata: 0x32,
  customMetadata: 0x3a,
  data: 0x42,
} as const;
const MAP = { key: 0x0a, value: 0x12 } as const;

const PREFIX = 5;
const UUID_TEXT = 36;
const KEPT_NAMES = 10_000;
const CREATED_ENTRY = Buffer.from([MAP.key, 7, ...Buffer.from('created'), MAP.value]);
const UUID_STRING = Buffer.from([RECORDED.id, UUID_TEXT + 2, 0x12, UUID_TEXT]);
const LARGEST_REVISION = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);

/** The two hexadecimal digits of each byte, as character codes. */
const HEX = new Uint8Array(512);
for (let byte = 0; byte < 256; byte += 1) HEX.set(Buffer.from(byte.toString(16).padStart(2, '0')), byte * 2);

/**
 * Writes the messages of a read straight into the bytes that go to the network. A reader that catches up gets tens of
 * thousands of events a second; a generic encoder makes and checks a dozen objects for each of them.
 * The spec compares every byte of meaning with the generic codec.
 */
export class EventFrames {
  private readonly streams = new Map<string, Buffer>();
  private readonly types = new Map<string, Buffer>();
  private bytes = Buffer.alloc(0);
  private at = 0;

  constructor(private readonly structuredIds: boolean) {}

  /** The messages in order, each with the five bytes that gRPC puts before it, in one buffer. */
  encode(page: readonly Delivered[]): Buffer {
    const sizes = page.map((one) => this.sizesOf(one));
    this.bytes = Buffer.allocUnsafe(sizes.reduce((sum, { message }) => sum + PREFIX + message, 0));
    this.at = 0;
    page.forEach((one, index) => this.write(one, sizes[index] ?? NOTHING));
    return this.bytes;
  }

  private sizesOf({ event, link, position }: Delivered): Sizes {
    const eventSize = event ? this.recordedSize(event) : 0;
    const linkSize = link ? this.recordedSize(link) : 0;
    const inner =
      (event ? 1 + varintSize(eventSize) + eventSize : 0) +
      (link ? 1 + varintSize(linkSize) + linkSize : 0) +
      (1 + varintSize(position));
    return { event: eventSize, link: linkSize, inner, message: 1 + varintSize(inner) + inner };
  }

  private recordedSize({ id, stream, revision, position, type, json, created, metadata, data }: RecordedEvent): number {
    return (
      (this.structuredIds ? structuredUuid(id).length : UUID_STRING.length + UUID_TEXT) +
      this.streamField(stream).length +
      (1 + revisionSize(revision)) +
      2 * (1 + varintSize(position)) +
      this.typeEntries(type, json).length +
      (1 + 1 + createdSize(created)) +
      bytesSize(metadata) +
      bytesSize(data)
    );
  }

  private write({ event, link, position }: Delivered, sizes: Sizes): void {
    this.byte(0);
    this.bytes.writeUInt32BE(sizes.message, this.at);
    this.at += 4;
    this.lengthPrefix(EVENT_IN_RESPONSE, sizes.inner);
    if (event) {
      this.lengthPrefix(EVENT, sizes.event);
      this.recorded(event);
    }
    if (link) {
      this.lengthPrefix(LINK, sizes.link);
      this.recorded(link);
    }
    this.byte(COMMIT_POSITION);
    this.varint(position);
  }

  private recorded(event: RecordedEvent): void {
    this.id(event.id);
    this.copy(this.streamField(event.stream));
    this.byte(RECORDED.revision);
    if (event.revision === TOMBSTONE) this.copy(LARGEST_REVISION);
    else this.varint(event.revision);
    this.byte(RECORDED.prepare);
    this.varint(event.position);
    this.byte(RECORDED.commit);
    this.varint(event.position);
    this.copy(this.typeEntries(event.type, event.json));
    this.created(event.created);
    this.blob(RECORDED.customMetadata, event.metadata);
    this.blob(RECORDED.data, event.data);
  }

  private id(id: Uint8Array): void {
    if (this.structuredIds) return this.copy(structuredUuid(id));
    this.copy(UUID_STRING);
    for (let index = 0; index < 16; index += 1) {
      if (index === 4 || index === 6 || index === 8 || index === 10) this.byte(0x2d);
      const digits = (id[index] ?? 0) * 2;
      this.bytes[this.at] = HEX[digits] ?? 0;
      this.bytes[this.at + 1] = HEX[digits + 1] ?? 0;
      this.at += 2;
    }
  }

  /** `created` is told in ticks of 100 ns, as decimal text. */
  private created(created: number): void {
    const ticks = `${created}0`;
    this.byte(RECORDED.metadata);
    this.byte(CREATED_ENTRY.length + 1 + ticks.length);
    this.copy(CREATED_ENTRY);
    this.byte(ticks.length);
    this.at += this.bytes.write(ticks, this.at, 'latin1');
  }

  private blob(tag: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.lengthPrefix(tag, bytes.length);
    this.copy(bytes);
  }

  private streamField(stream: string): Buffer {
    const known = this.streams.get(stream);
    if (known) return known;
    const name = Buffer.from(stream, 'utf8');
    return remember(this.streams, stream, field(RECORDED.stream, field(0x1a, name)));
  }

  private typeEntries(type: string, json: boolean): Buffer {
    const key = `${type}${json ? 'j' : 'b'}`;
    const known = this.types.get(key);
    if (known) return known;
    const contentType = json ? 'application/json' : 'application/octet-stream';
    return remember(this.types, key, Buffer.concat([entry('type', type), entry('content-type', contentType)]));
  }

  private lengthPrefix(tag: number, length: number): void {
    this.byte(tag);
    this.varint(length);
  }

  private byte(value: number): void {
    this.bytes[this.at] = value;
    this.at += 1;
  }

  private copy(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  private varint(value: number): void {
    this.at = putVarint(this.bytes, this.at, value);
  }
}

interface Sizes {
  readonly event: number;
  readonly link: number;
  readonly inner: number;
  readonly message: number;
}

const NOTHING: Sizes = { event: 0, link: 0, inner: 0, message: 0 };

function remember(known: Map<string, Buffer>, key: string, value: Buffer): Buffer {
  if (known.size >= KEPT_NAMES) known.clear();
  known.set(key, value);
  return value;
}

/** Whole numbers up to 2^53 as base-128 varints. */
function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7fff_ffff) {
    bytes[at] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
    at += 1;
  }
  while (rest > 127) {
    bytes[at] = (rest & 127) | 128;
    rest >>>= 7;
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

const revisionSize = (revision: number): number =>
  revision === TOMBSTONE ? LARGEST_REVISION.length : varintSize(revision);

const createdSize = (created: number): number => CREATED_ENTRY.length + 1 + `${created}0`.length;

const bytesSize = ({ length }: Uint8Array): number => (length === 0 ? 0 : 1 + varintSize(length) + length);

function field(tag: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(1 + varintSize(content.length), tag);
  putVarint(head, 1, content.length);
  return Buffer.concat([head, content]);
}

const entry = (key: string, value: string): Buffer =>
  field(RECORDED.metadata, Buffer.concat([field(MAP.key, Buffer.from(key)), field(MAP.value, Buffer.from(value))]));

/** The halves of the id as two 64-bit numbers, which is what clients of other platforms ask for. */
function structuredUuid(id: Uint8Array): Buffer {
  const bytes = Buffer.from(id.buffer, id.byteOffset, id.byteLength);
  const halves = Buffer.concat([
    Buffer.from([0x08, ...varint64(bytes.readBigUInt64BE(0))]),
    Buffer.from([0x10, ...varint64(bytes.readBigUInt64BE(8))]),
  ]);
  return field(RECORDED.id, field(0x0a, halves));
}

function varint64(value: bigint): number[] {
  const digits: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) digits.push(Number(rest & 127n) | 128);
  return [...digits, Number(rest)];
}
