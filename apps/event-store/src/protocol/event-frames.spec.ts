import fc from 'fast-check';
import { recordedMessage } from '../services/wire.js';
import { type RecordedEvent, TOMBSTONE } from '../storage/event.js';
import { codecOf } from './codec.js';
import { type Delivered, EventFrames } from './event-frames.js';

const response = codecOf<object>('event_store.client.streams.ReadResp');

const recorded: fc.Arbitrary<RecordedEvent> = fc.record({
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  type: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  json: fc.boolean(),
  metadata: fc.uint8Array({ maxLength: 300 }),
  data: fc.uint8Array({ maxLength: 20_000 }),
  position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  stream: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  revision: fc.oneof(fc.constant(TOMBSTONE), fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
  created: fc.integer({ min: 0, max: 4e15 }),
});

const delivered: fc.Arbitrary<Delivered> = fc.record({
  event: fc.option(recorded, { nil: undefined }),
  link: fc.option(recorded, { nil: undefined }),
  position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
});

/** What the generic codec makes of the same events: encoded and read again, so that absent and empty fields agree. */
function generic({ event, link, position }: Delivered, structuredIds: boolean): object {
  const message = (one: RecordedEvent | undefined) => one && recordedMessage(one, structuredIds);
  const present = Object.entries({ event: message(event), link: message(link) }).filter(([, value]) => value);
  return response.decode(
    response.encode({ event: { ...Object.fromEntries(present), commitPosition: String(position) } }),
  );
}

function messagesIn(frames: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < frames.length; ) {
    const end = at + 5 + frames.readUInt32BE(at + 1);
    messages.push(frames.subarray(at + 5, end));
    at = end;
  }
  return messages;
}

/** Empty bytes are the same as none in this protocol; the generic codec writes them. */
const normal = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, one: unknown) => (isEmptyBytes(one) ? undefined : one)));
const isEmptyBytes = (one: unknown): boolean =>
  typeof one === 'object' && one !== null && 'type' in one && 'data' in one && String(one.data) === '';

describe('events written straight into frames', () => {
  it.each([false, true])('say what the generic codec says (structured ids: %s)', (structuredIds) => {
    const property = fc.property(fc.array(delivered, { maxLength: 8 }), (page) => {
      const frames = new EventFrames(structuredIds).encode(page);
      const read = messagesIn(frames).map((bytes) => normal(response.decode(bytes)));
      expect(read).toEqual(page.map((one) => normal(generic(one, structuredIds))));
    });
    fc.assert(property, { numRuns: 150 });
  });
});
