import {
  AccessDeniedError,
  InvalidArgumentError,
  MaxAppendSizeExceededError,
  StreamDeletedError,
} from '@eventstore/db-client';
import { messageOf, Unavailable } from '#platform';
import { LogRefused } from './errors.js';

const REFUSALS = [AccessDeniedError, InvalidArgumentError, MaxAppendSizeExceededError, StreamDeletedError];

/** What the client throws, in our words: the server's no stays a no; all else means that the log is not to be reached (L4). */
export function failureOf(error: unknown): Unavailable | LogRefused {
  if (error instanceof Unavailable || error instanceof LogRefused) return error;
  if (REFUSALS.some((refusal) => error instanceof refusal))
    return new LogRefused(`The event log refuses: ${messageOf(error)}`, { cause: error });
  return new Unavailable(`The event log does not answer: ${messageOf(error)}`, { cause: error });
}
