import { AckPolicy, DeliverPolicy, nanos } from 'nats';
import type { Connection } from './connection.js';
import { isNotFound, isOtherConsumer, translated } from './errors.js';
import { assertKept, type Streams } from './streams.js';

/** How often and how patiently a message is tried. Milliseconds. */
export interface Patience {
  /** Silence after which the server delivers again; 30,000. */
  readonly ackWaitMs?: number;
  /** Deliveries after which a message is parked; 20. */
  readonly maxDeliver?: number;
  /** Waits after the first, second, ... failure; the last one repeats; 200 up to 60,000. */
  readonly backoffMs?: readonly number[];
  /** How long a handler may say that it is still working; 600,000. */
  readonly handlerLimitMs?: number;
}

/** A durable pull consumer as Baton wants it. */
export interface Durable extends Required<Patience> {
  readonly stream: string;
  readonly name: string;
  readonly filter: string;
}

const PATIENCE: Required<Patience> = {
  ackWaitMs: 30_000,
  maxDeliver: 20,
  backoffMs: [200, 1_000, 5_000, 15_000, 60_000],
  handlerLimitMs: 600_000,
};

export const durable = (stream: string, name: string, filter: string, patience: Patience): Durable => ({
  ...PATIENCE,
  ...patience,
  stream,
  name,
  filter,
});

/**
 * Makes the consumer, or brings it up to date, and its stream before it when that is missing. Answers when this very
 * consumer was made, to tell it from another one of the same name. @throws Unavailable, Misconfigured
 */
export async function ensureDurable(
  { connection, streams }: { readonly connection: Connection; readonly streams: Streams },
  wanted: Durable,
): Promise<string> {
  try {
    return await add(connection, wanted);
  } catch (error) {
    if (!isNotFound(error)) throw translated(error, `Preparing the consumer ${wanted.name}`);
  }
  await streams.ensure();
  try {
    return await add(connection, wanted);
  } catch (error) {
    throw translated(error, `Preparing the consumer ${wanted.name}`);
  }
}

async function add({ jsm }: Connection, { stream, name, filter, ackWaitMs, maxDeliver }: Durable): Promise<string> {
  const wanted = {
    durable_name: name,
    filter_subject: filter,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    deliver_policy: DeliverPolicy.All,
    max_deliver: maxDeliver,
    // No limit: messages that wait for their back-off count as pending, and must not hold up all others.
    max_ack_pending: -1,
    max_waiting: 4_096,
  };
  const { config, created } = await jsm.consumers.add(stream, wanted).catch((error: unknown) => {
    if (isOtherConsumer(error)) return jsm.consumers.update(stream, name, wanted);
    throw error;
  });
  assertKept(`consumer ${name}`, wanted, config);
  return created;
}
