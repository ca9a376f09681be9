import { messageOf } from '#platform';
import type { Call } from '../grpc/call.js';
import { decode, type Handler } from '../grpc/handlers.js';
import { Refusal, Status } from '../grpc/refusal.js';
import { codecOf, methodOf } from '../protocol/codec.js';
import { type ProposedEvent, wireRevision } from '../storage/event.js';
import type { AppendOutcome } from '../storage/event-log.js';
import type { Expected } from '../storage/expectation.js';
import { requireWritable, successOf } from './append.js';
import type { Store } from './sink.js';
import {
  expectedOf,
  NOTHING,
  type Nothing,
  proposedEvent,
  streamIdentifier,
  streamNameOf,
  uuidOf,
  type WireProposed,
  type WireStream,
  type WireUuid,
} from './wire.js';

interface BatchOptions {
  readonly streamIdentifier?: WireStream;
  readonly expectedStreamPosition?: 'streamPosition' | 'noStream' | 'any' | 'streamExists';
  readonly streamPosition?: string;
  readonly noStream?: Nothing;
  readonly any?: Nothing;
  readonly streamExists?: Nothing;
  readonly deadline21100?: Time;
  readonly deadline?: Time;
}

interface Time {
  readonly seconds?: string;
  readonly nanos?: number;
}

interface BatchFrame {
  readonly correlationId?: WireUuid;
  readonly options?: BatchOptions;
  readonly proposedMessages?: readonly WireProposed[];
  readonly isFinal?: boolean;
}

/** What an answer repeats of its request. */
interface Answered {
  readonly correlationId: WireUuid | undefined;
  readonly options: BatchOptions;
}

/** One append whose frames are still coming. */
interface Unfinished extends Answered {
  readonly stream: string;
  readonly expected: Expected;
  readonly deadline: number;
  readonly events: ProposedEvent[];
  size: number;
  timer: NodeJS.Timeout | undefined;
}

const DEFAULT_DEADLINE_MS = 10_000;
const LONGEST_DEADLINE_MS = 24 * 3_600_000;
/** Bytes of appends whose last frame has not come; more than this on one call ends the call. */
const MAX_UNFINISHED = 64 * 1024 * 1024;
/** Appends on one call whose last frame has not come, answered or not; one more ends the call. */
const MOST_UNFINISHED = 10_000;

/** BatchAppend: one call carries all appends of a client, told apart by correlation ids; each gets one answer. */
export function batchAppend(store: Store): Handler {
  const { request } = methodOf<BatchFrame, object>('event_store.client.streams.Streams', 'BatchAppend');
  return (call) => {
    const batch = new Batch(call, store);
    call.receive(
      (bytes) => batch.take(decode(request, bytes)),
      () => batch.end(),
    );
    call.signal.addEventListener('abort', () => batch.abandon(), { once: true });
  };
}

class Batch {
  private readonly unfinished = new Map<string, Unfinished>();
  /** Answered before their last frame had come: the rest of them is passed over. */
  private readonly answered = new Set<string>();
  private readonly response = methodOf<BatchFrame, object>(
    'event_store.client.streams.Streams',
    'BatchAppend',
  ).response;
  private waiting = 0;
  private bytes = 0;
  private ended = false;

  constructor(
    private readonly call: Call,
    private readonly store: Store,
  ) {}

  take(frame: BatchFrame): void {
    const id = frame.correlationId;
    if (!id) throw new Refusal(Status.INVALID_ARGUMENT, 'The append has no correlation id.');
    const key = Buffer.from(uuidOf(id)).toString('hex');
    if (this.answered.has(key)) {
      if (frame.isFinal) this.answered.delete(key);
      return;
    }
    try {
      const append = this.unfinished.get(key) ?? this.begin(id, key, frame.options);
      this.collect(append, frame.proposedMessages ?? []);
      if (append.size > this.store.maxAppend)
        return this.refuse(key, frame, append, tooLargeError(this.store.maxAppend));
      if (frame.isFinal) return this.submit(key, append);
      append.timer ??= setTimeout(
        () => this.refuse(key, frame, append, status(Status.DEADLINE_EXCEEDED, 'Timeout', {})),
        Math.max(0, append.deadline - performance.now()),
      );
    } catch (error) {
      if (error instanceof Refusal && error.status === Status.RESOURCE_EXHAUSTED) throw error;
      this.refuse(key, frame, this.unfinished.get(key), errorOf(error));
    }
  }

  end(): void {
    this.ended = true;
    if (this.waiting === 0) this.call.finish();
  }

  abandon(): void {
    for (const { timer } of this.unfinished.values()) clearTimeout(timer);
    this.unfinished.clear();
  }

  private begin(correlationId: WireUuid, key: string, options: BatchOptions | undefined): Unfinished {
    if (this.unfinished.size + this.answered.size >= MOST_UNFINISHED)
      throw new Refusal(Status.RESOURCE_EXHAUSTED, 'Too many unfinished appends on one call.');
    if (!options) throw new Refusal(Status.INVALID_ARGUMENT, 'The first frame of an append must carry its options.');
    const stream = streamNameOf(options.streamIdentifier);
    requireWritable(stream);
    this.store.access.require(this.call.caller, 'write', stream);
    const append: Unfinished = {
      correlationId,
      options,
      stream,
      expected: expectedIn(options),
      deadline: deadlineIn(options),
      events: [],
      size: 0,
      timer: undefined,
    };
    this.unfinished.set(key, append);
    return append;
  }

  private collect(append: Unfinished, messages: readonly WireProposed[]): void {
    for (const message of messages) {
      const event = proposedEvent(message);
      append.events.push(event);
      append.size += event.data.length;
      this.bytes += event.data.length + event.metadata.length;
    }
    if (this.bytes > MAX_UNFINISHED)
      throw new Refusal(Status.RESOURCE_EXHAUSTED, 'Too many bytes of unfinished appends on one call.');
  }

  private submit(key: string, append: Unfinished): void {
    this.forget(key, append);
    this.waiting += 1;
    this.store.log
      .append(append)
      .then((outcome) => this.send(append, outcomeMessage(append, outcome)))
      .catch((error: unknown) => this.send(append, { error: errorOf(error) }))
      .finally(() => {
        this.waiting -= 1;
        if (this.ended && this.waiting === 0) this.call.finish();
      });
  }

  private refuse(key: string, frame: BatchFrame, append: Unfinished | undefined, error: object): void {
    if (append) this.forget(key, append);
    if (!frame.isFinal) this.answered.add(key);
    this.send(append ?? { correlationId: frame.correlationId, options: frame.options ?? {} }, { error });
  }

  private forget(key: string, append: Unfinished): void {
    clearTimeout(append.timer);
    this.unfinished.delete(key);
    for (const { data, metadata } of append.events) this.bytes -= data.length + metadata.length;
  }

  private send({ correlationId, options }: Answered, result: object): void {
    const { streamIdentifier: stream = streamIdentifier(''), streamPosition, noStream, any, streamExists } = options;
    const echo = { streamPosition, noStream, any, streamExists };
    this.call.send(this.response.encode({ correlationId, streamIdentifier: stream, ...echo, ...result }));
  }
}

function expectedIn({ expectedStreamPosition, streamPosition }: BatchOptions): Expected {
  return expectedStreamPosition === 'streamPosition'
    ? BigInt(streamPosition ?? 0)
    : expectedOf(expectedStreamPosition ? { expectedStreamRevision: expectedStreamPosition } : {});
}

const millis = ({ seconds = '0', nanos = 0 }: Time): number => Number(seconds) * 1000 + nanos / 1e6;

/** By `performance.now()`. The older of the two is a time of the client's clock: ours says how far away it is, once. */
function deadlineIn({ deadline21100, deadline }: BatchOptions): number {
  const left = deadline ? millis(deadline) : deadline21100 ? millis(deadline21100) - Date.now() : DEFAULT_DEADLINE_MS;
  return performance.now() + Math.min(left, LONGEST_DEADLINE_MS);
}

function outcomeMessage({ stream, expected }: Unfinished, outcome: AppendOutcome): object {
  switch (outcome.kind) {
    case 'appended':
      return { success: successOf(outcome) };
    case 'wrong-expected-version':
      return {
        error: status(Status.FAILED_PRECONDITION, 'WrongExpectedVersion', wrongVersion(expected, outcome.current)),
      };
    case 'deleted':
      return {
        error: status(Status.FAILED_PRECONDITION, 'StreamDeleted', { streamIdentifier: streamIdentifier(stream) }),
      };
    case 'too-late':
      return { error: status(Status.DEADLINE_EXCEEDED, 'Timeout', {}) };
  }
}

function wrongVersion(expected: Expected, current: number): object {
  const actual = current < 0 ? { currentNoStream: NOTHING } : { currentStreamRevision: wireRevision(current) };
  if (expected === 'any') return { ...actual, expectedAny: NOTHING };
  if (expected === 'no-stream') return { ...actual, expectedNoStream: NOTHING };
  if (expected === 'stream-exists') return { ...actual, expectedStreamExists: NOTHING };
  return { ...actual, expectedStreamPosition: String(expected) };
}

const tooLargeError = (maxAppendSize: number) =>
  status(Status.INVALID_ARGUMENT, 'MaximumAppendSizeExceeded', { maxAppendSize });

function errorOf(error: unknown): object {
  // The detail `Unknown` would make the client drop the sentence that says what is wrong.
  if (!(error instanceof Refusal))
    return status(Status.INTERNAL, 'BadRequest', { message: messageOf(error) }, messageOf(error));
  if (error.status === Status.PERMISSION_DENIED) return status(error.status, 'AccessDenied', {}, error.message);
  return status(error.status, 'BadRequest', { message: error.message }, error.message);
}

/** `google.rpc.Status` with the one detail from which the client makes its typed error. */
function status(code: Status, type: string, detail: object, text: string = type): object {
  const name = `event_store.client.${type}`;
  return {
    code,
    message: text,
    details: { typeUrl: `type.googleapis.com/${name}`, value: codecOf<object>(name).encode(detail) },
  };
}
