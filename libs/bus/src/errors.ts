import { ErrorCode, NatsError } from 'nats';
import { BatonError, messageOf, type Remedy, Unavailable, Unreadable } from '#platform';

/** Nobody listens on the subject that was asked: evidence that the one who should answer is not there. */
export class NoResponders extends BatonError {
  readonly code = 'no-responders';
  readonly remedy = 'retry';
}

/** Somebody may have heard the question, but no answer came in time: no evidence of anything. */
export class AnswerTimedOut extends BatonError {
  readonly code = 'answer-timed-out';
  readonly remedy = 'retry';
}

/** Another publisher was there first: the stream has moved past the sequence that was expected. */
export class WrongLastSequence extends BatonError {
  readonly code = 'wrong-last-sequence';
  readonly remedy = 'stand-down';

  /** @param actual the stream's last sequence, where the server told it. */
  constructor(
    message: string,
    readonly actual: number | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Larger than the server's `max_payload`; it would be refused for ever. */
export class MessageTooLarge extends BatonError {
  readonly code = 'message-too-large';
  readonly remedy = 'give-up';
}

/** What arrived is not JSON, or not what its contract says. */
export class UnreadableMessage extends Unreadable {
  override readonly code = 'unreadable-message';
}

/** A parked message that would only be parked again. */
export class NotReplayable extends BatonError {
  readonly code = 'not-replayable';
  readonly remedy = 'tell';
}

/** The other side of a request answered with an error of its own: its code and remedy, as it gave them. */
export class RemoteProblem extends BatonError {
  constructor(
    readonly code: string,
    readonly remedy: Remedy,
    message: string,
  ) {
    super(message);
  }
}

const WRONG_LAST_SEQUENCE = 10071;
const NOT_FOUND = 404;
const OTHER_CONSUMER = 10_148;
const NO_MESSAGE = 10_037;
/** "Configuration cannot be changed so" and "subjects overlap with an existing stream". */
const REFUSED_CONFIGURATION: ReadonlySet<number | undefined> = new Set([10_052, 10_065]);

/** Turns whatever the client throws into an error of ours; `doing` says what was tried ("publishing to x"). */
export function translated(error: unknown, doing: string): BatonError {
  if (error instanceof BatonError) return error;
  if (error instanceof NatsError) {
    if (error.api_error?.err_code === WRONG_LAST_SEQUENCE) {
      const actual = /wrong last sequence: (\d+)/.exec(error.message)?.[1];
      const sentence = `${doing}: another publisher was faster (${error.message}); read the last message again.`;
      return new WrongLastSequence(sentence, actual === undefined ? undefined : Number(actual), { cause: error });
    }
    if (isCode(error, ErrorCode.MaxPayloadExceeded)) {
      const sentence = `${doing}: the message is larger than the server's max_payload; put large content in the blob store.`;
      return new MessageTooLarge(sentence, { cause: error });
    }
  }
  return new Unavailable(`${doing}: the bus did not do it (${wordsOf(error)}); try again later.`, { cause: error });
}

/** "There is no such stream, consumer or message", as the JetStream API says it. */
export const isNotFound = (error: unknown): boolean =>
  error instanceof NatsError && error.api_error?.code === NOT_FOUND;

/** A consumer of this name is there and is set otherwise; nats-server 2.9 would have brought it up to date. */
export const isOtherConsumer = (error: unknown): boolean =>
  error instanceof NatsError && error.api_error?.err_code === OTHER_CONSUMER;

/** The message to delete is not in the stream: it has been deleted, or its number was not given yet ("eof"). */
export const isNoMessage = (error: unknown): boolean =>
  error instanceof NatsError &&
  (error.api_error?.err_code === NO_MESSAGE || /no message found|stream store eof/i.test(error.message));

/** The server will not hold a stream as it was asked to; no waiting mends that. */
export const isRefusedConfiguration = (error: unknown): boolean =>
  error instanceof NatsError && REFUSED_CONFIGURATION.has(error.api_error?.err_code);

/** Nobody serves the subject: for JetStream's API it means that the stream or JetStream itself is not there. */
export const isNoResponders = (error: unknown): boolean => isCode(error, ErrorCode.NoResponders);

export const isTimeout = (error: unknown): boolean => isCode(error, ErrorCode.Timeout);

const isCode = (error: unknown, code: string): boolean => error instanceof NatsError && error.code === code;

function wordsOf(error: unknown): string {
  if (isNoResponders(error)) return 'no stream takes this subject, or JetStream is not running';
  if (isTimeout(error)) return 'no acknowledgement in time';
  return messageOf(error);
}
