import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from './errors.js';
import type { Logger } from './logger.js';

const FIRST_WAIT_MS = 50;

export interface Persistence {
  /** What is tried, for the log: "publishing a doorbell". */
  readonly doing: string;
  readonly logger: Logger;
  /** Ends the trying. */
  readonly signal: AbortSignal;
  /** Milliseconds; the waits double up to it; 2,000. */
  readonly longestWaitMs?: number;
}

/** Tries until it works. @throws the last error once the signal is aborted */
export async function persist<T>(work: () => Promise<T>, persistence: Persistence): Promise<T> {
  const { doing, logger, signal, longestWaitMs = 2_000 } = persistence;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw error;
      logger.warn({ doing, reason: messageOf(error) }, 'did not work; trying again');
      await pause(waitMs, undefined, { signal });
    }
  }
}
