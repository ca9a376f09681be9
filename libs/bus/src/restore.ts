import { setTimeout as pause } from 'node:timers/promises';
import { type BatonError, Misconfigured, messageOf } from '#platform';
import type { Connection } from './connection.js';
import { translated } from './errors.js';
import type { Streams } from './streams.js';

const WAIT_MS = { first: 100, longest: 5_000 };

/**
 * Makes the streams, again and again while JetStream is not ready, until they are there. Returns what no waiting mends.
 */
export async function restored(
  connection: Connection,
  streams: Streams,
  signal = connection.ending,
): Promise<BatonError | undefined> {
  for (let waitMs = WAIT_MS.first; ; waitMs = Math.min(WAIT_MS.longest, waitMs * 2)) {
    try {
      await connection.whenConnected(signal);
      await streams.ensure();
      return undefined;
    } catch (error) {
      if (signal.aborted || connection.isClosed()) return translated(error, 'Preparing the bus');
      connection.logger.error({ reason: messageOf(error) }, 'the streams of the bus are not there');
      if (error instanceof Misconfigured) return error;
    }
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
