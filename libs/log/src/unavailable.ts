import { messageOf, Unavailable } from '#platform';

/** Whatever the client throws that is no answer about the stream: the log is not to be reached now (L4). */
export function unavailable(error: unknown): Unavailable {
  if (error instanceof Unavailable) return error;
  return new Unavailable(`The event log does not answer: ${messageOf(error)}`, { cause: error });
}
