import type { z } from 'zod';
import { type Logger, messageOf, systemClock } from '#platform';
import type { Connection } from './connection.js';
import { read, written } from './contract.js';
import { translated } from './errors.js';
import { assertFits } from './publish.js';

export interface Listening {
  /** How many messages could not be read since the start. */
  readonly unreadable: () => number;
  stop(): void;
}

/**
 * Tells whoever listens, now; nobody may. While the bus is away it is dropped: what is told here is soon stale.
 * @throws MessageTooLarge
 */
export function emit(connection: Connection, subject: string, body: unknown): void {
  if (!connection.isConnected()) return;
  const bytes = written(body);
  assertFits(connection, subject, bytes.length);
  try {
    connection.nats.publish(subject, bytes);
  } catch (error) {
    throw translated(error, `Telling ${subject}`);
  }
}

/** Calls the handler with each message on the subject (`*` and `>` allowed) that can be read. */
export function listen<S extends z.ZodType>(
  connection: Connection,
  subject: string,
  schema: S,
  handler: (body: z.output<S>, subject: string) => void | Promise<void>,
): Listening {
  let unreadable = 0;
  const complain = atMostOnceASecond(connection.logger);
  const receive = async (bytes: Uint8Array, from: string): Promise<void> => {
    let body: z.output<S>;
    try {
      body = read(bytes, schema, from);
    } catch (error) {
      unreadable += 1;
      return complain({ subject: from, unreadable, reason: messageOf(error) }, 'a message could not be read');
    }
    try {
      await handler(body, from);
    } catch (error) {
      complain({ subject: from, reason: messageOf(error) }, 'a listener failed');
    }
  };
  const subscription = connection.nats.subscribe(subject, {
    callback: (error, message) => {
      if (error) connection.logger.error({ subject, reason: error.message }, 'listening is not allowed');
      else void receive(message.data, message.subject);
    },
  });
  return { unreadable: () => unreadable, stop: () => subscription.unsubscribe() };
}

/** One flood of broken messages must not become another one of log lines. */
function atMostOnceASecond(logger: Logger): (facts: object, message: string) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (facts, message) => {
    const now = systemClock.monotonic();
    if (now - last < 1_000) return;
    last = now;
    logger.warn(facts, message);
  };
}
