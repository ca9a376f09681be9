import type { Call } from '../grpc/call.js';
import { decode, type Handler } from '../grpc/handlers.js';
import { accessDenied, invalid, Refusal, Status, streamDeleted, tooLarge } from '../grpc/refusal.js';
import { methodOf } from '../protocol/codec.js';
import type { ProposedEvent } from '../storage/event.js';
import { wireRevision } from '../storage/event.js';
import type { AppendOutcome } from '../storage/event-log.js';
import type { Expected } from '../storage/expectation.js';
import type { Store } from './sink.js';
import {
  expectedOf,
  NOTHING,
  positionOf,
  proposedEvent,
  streamNameOf,
  type WireExpectation,
  type WireProposed,
} from './wire.js';

interface AppendMessage {
  readonly options?: WireExpectation;
  readonly proposedMessage?: WireProposed;
}

/** `$all` is no stream, and metadata has no metadata of its own. */
export function requireWritable(stream: string): void {
  if (stream === '$all' || stream.startsWith('$$$$')) throw accessDenied();
}

/** Append: the options, then one event per message, then one answer. */
export function append({ log, access, maxAppend }: Store): Handler {
  const { request, response } = methodOf<AppendMessage, object>('event_store.client.streams.Streams', 'Append');
  return (call) => {
    let options: { stream: string; expected: Expected } | undefined;
    const events: ProposedEvent[] = [];
    let size = 0;
    call.receive(
      (bytes) => {
        const message = decode(request, bytes);
        if (message.options) {
          options = { stream: streamNameOf(message.options.streamIdentifier), expected: expectedOf(message.options) };
          requireWritable(options.stream);
          access.require(call.caller, 'write', options.stream);
        }
        if (!message.proposedMessage) return;
        const event = proposedEvent(message.proposedMessage);
        size += event.data.length;
        if (size > maxAppend) throw tooLarge(maxAppend);
        events.push(event);
      },
      () => {
        if (!options) throw invalid('The append names no stream: its first message must carry the options.');
        const { stream, expected } = options;
        log.append({ stream, expected, events, deadline: call.deadline }).then(
          (outcome) => answer(call, outcome, { stream, expected, encode: response.encode }),
          (error: unknown) => call.fail(error),
        );
      },
    );
  };
}

interface Asked {
  readonly stream: string;
  readonly expected: Expected;
  readonly encode: (message: object) => Buffer;
}

function answer(call: Call, outcome: AppendOutcome, { stream, expected, encode }: Asked): void {
  switch (outcome.kind) {
    case 'appended':
      call.send(encode({ success: successOf(outcome) }));
      return call.finish();
    case 'wrong-expected-version':
      call.send(encode({ wrongExpectedVersion: wrongVersionOf(expected, outcome.current) }));
      return call.finish();
    case 'deleted':
      return call.fail(streamDeleted(stream));
    case 'too-late':
      return call.fail(new Refusal(Status.DEADLINE_EXCEEDED, 'Nothing was recorded: the deadline had passed.'));
  }
}

export const successOf = ({ revision, position }: { revision: number; position: number }) => ({
  ...(revision < 0 ? { noStream: NOTHING } : { currentRevision: wireRevision(revision) }),
  ...(revision < 0 ? { noPosition: NOTHING } : { position: positionOf(position) }),
});

/** The deprecated fields are filled too: older clients read them. */
function wrongVersionOf(expected: Expected, current: number): object {
  const actual =
    current < 0
      ? { noStream2060: NOTHING, currentNoStream: NOTHING }
      : { currentRevision2060: wireRevision(current), currentRevision: wireRevision(current) };
  switch (expected) {
    case 'any':
      return { ...actual, any2060: NOTHING, expectedAny: NOTHING };
    case 'stream-exists':
      return { ...actual, streamExists2060: NOTHING, expectedStreamExists: NOTHING };
    case 'no-stream':
      return { ...actual, expectedNoStream: NOTHING };
    default:
      return { ...actual, expectedRevision2060: String(expected), expectedRevision: String(expected) };
  }
}
