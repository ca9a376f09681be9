import { runOfStream } from '#contracts';

/** One frame of BatchAppend, as far as the proxy reads it; the field numbers are those of EventStoreDB's streams.proto. */
export interface AppendFrame {
  /** Names the append within its call; an append of several frames carries it in each of them. */
  readonly correlation: string;
  /** Absent in all but the first frame of an append. */
  readonly stream?: string;
  readonly events: readonly AppendedEvent[];
  readonly isFinal: boolean;
}

export interface AppendedEvent {
  readonly id: string;
  readonly type: string;
  /** JSON as it was written. */
  readonly data: string;
}

export function readAppend(message: Buffer): AppendFrame {
  const fields = fieldsOf(message);
  const options = first(fields, 2);
  const stream = options && first(fieldsOf(first(fieldsOf(options), 1) ?? NONE), 3);
  return {
    correlation: correlationOf(message),
    ...(stream === undefined ? {} : { stream: stream.toString() }),
    events: all(fields, 3).map(eventIn),
    isFinal: fields.some(({ number, varint }) => number === 4 && varint === 1n),
  };
}

/** Of a request or of its answer: both have it in field 1, and the store repeats it as it came. */
export const correlationOf = (message: Buffer): string => first(fieldsOf(message), 1)?.toString('hex') ?? '';

/** The run whose stream is written to. */
export const runIn = ({ stream }: AppendFrame): string | undefined =>
  stream === undefined ? undefined : runOfStream(stream);

function eventIn(proposed: Buffer): AppendedEvent {
  const fields = fieldsOf(proposed);
  const metadata = all(fields, 2).map((entry) => {
    const pair = fieldsOf(entry);
    return [text(first(pair, 1)), text(first(pair, 2))] as const;
  });
  return {
    id: text(first(fieldsOf(first(fields, 1) ?? NONE), 2)),
    type: new Map(metadata).get('type') ?? '',
    data: text(first(fields, 4)),
  };
}

const NONE = Buffer.alloc(0);

const text = (bytes: Buffer | undefined): string => bytes?.toString() ?? '';

interface Field {
  readonly number: number;
  readonly bytes?: Buffer;
  readonly varint?: bigint;
}

const all = (fields: readonly Field[], number: number): readonly Buffer[] =>
  fields.flatMap((field) => (field.number === number && field.bytes ? [field.bytes] : []));
const first = (fields: readonly Field[], number: number): Buffer | undefined => all(fields, number)[0];

/** The fields of a protocol buffer: https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < message.length; ) {
    const tag = varintAt(message, at);
    const number = Number(tag.value >> 3n);
    const wire = Number(tag.value & 7n);
    if (wire === 0) {
      const { value, end } = varintAt(message, tag.end);
      fields.push({ number, varint: value });
      at = end;
    } else {
      const length = wire === 2 ? varintAt(message, tag.end) : { value: wire === 1 ? 8n : 4n, end: tag.end };
      at = length.end + Number(length.value);
      fields.push({ number, bytes: message.subarray(length.end, at) });
    }
  }
  return fields;
}

function varintAt(bytes: Buffer, start: number): { readonly value: bigint; readonly end: number } {
  let value = 0n;
  for (let at = start, shift = 0n; at < bytes.length; at += 1, shift += 7n) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new RangeError('The number at the end of the message is cut off.');
}
