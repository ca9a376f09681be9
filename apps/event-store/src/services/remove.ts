import { type Handler, unary } from '../grpc/handlers.js';
import { Refusal, Status, streamDeleted, wrongExpectedVersion } from '../grpc/refusal.js';
import { methodOf } from '../protocol/codec.js';
import { requireWritable } from './append.js';
import type { Store } from './sink.js';
import { expectedOf, positionOf, streamNameOf, type WireExpectation } from './wire.js';

interface RemovalRequest {
  readonly options?: WireExpectation;
}

/** Delete hides what was written so far; Tombstone ends the stream for ever. */
export function remove({ log, access }: Store, name: 'Delete' | 'Tombstone'): Handler {
  return unary(
    methodOf<RemovalRequest, object>('event_store.client.streams.Streams', name),
    async ({ options = {} }, { caller }) => {
      const stream = streamNameOf(options.streamIdentifier);
      requireWritable(stream);
      access.require(caller, 'delete', stream);
      const expected = expectedOf(options);
      const outcome = await (name === 'Delete' ? log.delete(stream, expected) : log.tombstone(stream, expected));
      switch (outcome.kind) {
        case 'appended':
          return { position: positionOf(outcome.position) };
        case 'wrong-expected-version':
          throw wrongExpectedVersion(stream, expected, outcome.current);
        case 'deleted':
          throw streamDeleted(stream);
        case 'too-late':
          throw new Refusal(Status.DEADLINE_EXCEEDED, 'Nothing was recorded: the deadline had passed.');
      }
    },
  );
}
