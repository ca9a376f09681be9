import type { ModelFailureKind } from '#contracts';

const BASE_MS = 1_000;
const CAP_MS = 60_000;
/** A longer wait than this is not believed. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * How long to wait before the next attempt, in milliseconds; undefined when a next attempt cannot help.
 * Full jitter, so that runs that failed together do not come back together: anything up to 1 s, 2 s, 4 s ... 60 s.
 * When the API asked for a wait, never earlier than that.
 *
 * @param attempt the attempt that has failed, from 1
 * @param random from 0 (included) to 1 (excluded)
 */
export function retryDelayMs(
  kind: ModelFailureKind,
  attempt: number,
  retryAfterMs: number | undefined,
  random: number,
): number | undefined {
  if (kind === 'invalid-request' || kind === 'authentication') return undefined;
  const jitter = random * Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1));
  if (retryAfterMs === undefined) return Math.round(jitter);
  return Math.round(Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS) + Math.min(jitter, BASE_MS));
}
