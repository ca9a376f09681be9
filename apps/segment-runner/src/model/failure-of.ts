import { APIConnectionError, APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk';
import type { ModelFailureKind } from '#contracts';
import { messageOf } from '#platform';
import { ModelFailure } from './model-failure.js';

const KIND_OF_TYPE: Readonly<Record<string, ModelFailureKind>> = {
  overloaded_error: 'overloaded',
  rate_limit_error: 'rate-limited',
  timeout_error: 'timed-out',
  authentication_error: 'authentication',
  permission_error: 'authentication',
  billing_error: 'authentication',
  invalid_request_error: 'invalid-request',
  not_found_error: 'invalid-request',
  request_too_large: 'invalid-request',
};

const KIND_OF_STATUS: Readonly<Record<number, ModelFailureKind>> = {
  401: 'authentication',
  402: 'authentication',
  403: 'authentication',
  408: 'timed-out',
  409: 'server-error',
  429: 'rate-limited',
  504: 'timed-out',
  529: 'overloaded',
};

/**
 * What an error of the SDK, of the connection or of the stream means for the turn. `key` is kept out of its words: some
 * endpoints repeat a key that they refuse, and the words go to the log.
 */
export function failureOf(error: unknown, key?: string): ModelFailure {
  if (error instanceof ModelFailure) return error;
  if (error instanceof APIConnectionTimeoutError) return timedOut(error);
  if (error instanceof APIConnectionError) {
    return new ModelFailure('cut-off', `The model cannot be reached: ${innermost(error)}.`, { cause: error });
  }
  if (error instanceof APIError) return refused(error, key);
  if (/timeout/i.test(innermost(error))) return timedOut(error);
  return cutOff(error);
}

/** No word from the model for as long as the adapter waits. */
export const timedOut = (cause?: unknown): ModelFailure =>
  new ModelFailure('timed-out', 'The model did not answer in time.', { cause });

/** The stream ended before the turn did. */
export const cutOff = (cause?: unknown): ModelFailure =>
  new ModelFailure('cut-off', 'The connection to the model was lost in the middle of its answer.', { cause });

function refused(error: APIError, key?: string): ModelFailure {
  const kind = kindOf(error);
  const word = error.headers?.get('x-should-retry');
  const words = error.apiMessage ?? error.message;
  const said = key === undefined ? words : words.replaceAll(key, '[the key]');
  const status = error.status === undefined ? '' : ` (${error.status})`;
  return new ModelFailure(kind, `The model's API refused the request${status}: ${said}`, {
    ...(said === words && { cause: error }),
    retryAfterMs: retryAfterOf(error.headers),
    retryable: word === 'true' ? true : word === 'false' ? false : undefined,
  });
}

/** An error in the middle of a stream has a type but no status. */
function kindOf({ status, type }: APIError): ModelFailureKind {
  if (status === undefined) return KIND_OF_TYPE[type ?? ''] ?? 'server-error';
  return KIND_OF_STATUS[status] ?? (status >= 500 ? 'server-error' : 'invalid-request');
}

/** Milliseconds from `retry-after-ms` or `retry-after`, which is in seconds or a date. */
function retryAfterOf(headers: Headers | undefined): number | undefined {
  const exact = headers?.get('retry-after-ms');
  const rough = headers?.get('retry-after');
  const millis = exact
    ? Number(exact)
    : rough
      ? Number.isNaN(Number(rough))
        ? Date.parse(rough) - Date.now()
        : Number(rough) * 1_000
      : Number.NaN;
  return Number.isFinite(millis) ? Math.max(0, millis) : undefined;
}

function innermost(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause !== undefined) return innermost(cause);
  // An address with several numbers fails with an error that has a code and no message.
  return messageOf(error) || String((error as NodeJS.ErrnoException).code);
}
