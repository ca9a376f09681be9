import type { IncomingHttpHeaders } from 'node:http';
import { asksToCompact } from './announcement.js';
import { invalid } from './api-error.js';
import type { MessagesRequest } from './messages-request.js';

/** Where in which run a request stands. */
export interface TurnPlace {
  /** The run's id; empty when the caller names none. */
  readonly run: string;
  readonly turn: number;
  readonly attempt: number;
  readonly on: 'turn' | 'compaction';
}

/**
 * Reads the place from the headers `baton-run`, `baton-turn` and `baton-attempt`, which come from Baton's log: so what is
 * played does not depend on anything that a restart forgets. Without them the turn is counted in the conversation, and
 * the attempt is the one that the vendor's client tells of.
 * @throws ApiError 400
 */
export function placeOf(headers: IncomingHttpHeaders, { messages }: MessagesRequest): TurnPlace {
  const answered = messages.filter(({ role }) => role === 'assistant').length;
  const retries = countIn(headers, 'x-stainless-retry-count', 0);
  const run = headers['baton-run'];
  return {
    run: typeof run === 'string' ? run : '',
    turn: countIn(headers, 'baton-turn', answered + 1),
    attempt: countIn(headers, 'baton-attempt', retries + 1),
    on: asksToCompact(messages) ? 'compaction' : 'turn',
  };
}

function countIn(headers: IncomingHttpHeaders, name: string, absent: number): number {
  const given = headers[name];
  if (given === undefined) return absent;
  const count = Number(given);
  if (Number.isInteger(count) && count >= 0) return count;
  throw invalid(`${name}: use a whole number`);
}
