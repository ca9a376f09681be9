import type { ConsumerInfo } from 'nats';
import { WORK_CONSUMERS } from '#contracts';
import type { Connection } from './connection.js';
import { isNotFound, translated } from './errors.js';
import { UNDELIVERED_DURABLE } from './park.js';
import { STREAM_NAMES } from './streams.js';

/** What lies on the bus under our names and belongs to nothing of this version. */
export interface Strays {
  /** Durable consumers of our streams at which nobody waits and nothing is under way. */
  readonly consumers: readonly StrayConsumer[];
  /** Streams, key-value buckets included. */
  readonly streams: readonly string[];
}

export interface StrayConsumer {
  readonly stream: string;
  readonly name: string;
}

const KNOWN: ReadonlySet<string> = new Set([...Object.values(WORK_CONSUMERS), UNDELIVERED_DURABLE.name]);
const NAMED_LIKE_OURS = /^(?:KV_|OBJ_)?baton/i;

/** Those without a durable name go by themselves when nobody uses them. */
const isStray = ({ name, config, num_waiting, num_ack_pending }: ConsumerInfo): boolean =>
  config.durable_name !== undefined && !KNOWN.has(name) && num_waiting === 0 && num_ack_pending === 0;

/** @throws Unavailable */
export async function straysOn(connection: Connection): Promise<Strays> {
  const doing = 'Looking through the bus';
  connection.assertConnected(doing);
  const { jsm } = connection;
  try {
    const consumers = (await Promise.all(STREAM_NAMES.map((stream) => strayConsumersOf(connection, stream)))).flat();
    const streams: string[] = [];
    for await (const { config } of jsm.streams.list())
      if (NAMED_LIKE_OURS.test(config.name) && !STREAM_NAMES.includes(config.name)) streams.push(config.name);
    return { consumers, streams };
  } catch (error) {
    throw translated(error, doing);
  }
}

async function strayConsumersOf({ jsm }: Connection, stream: string): Promise<readonly StrayConsumer[]> {
  const consumers: StrayConsumer[] = [];
  for await (const info of jsm.consumers.list(stream)) if (isStray(info)) consumers.push({ stream, name: info.name });
  return consumers;
}

/** Whoever uses the consumer after all makes it again. @throws Unavailable */
export async function removeStray({ jsm }: Connection, { stream, name }: StrayConsumer): Promise<void> {
  try {
    await jsm.consumers.delete(stream, name);
  } catch (error) {
    if (!isNotFound(error)) throw translated(error, `Removing the consumer ${name}`);
  }
}
