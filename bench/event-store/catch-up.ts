import {
  type AllStreamSubscription,
  EventStoreDBClient,
  jsonEvent,
  START,
  type StreamSubscription,
} from '@eventstore/db-client';
import { round } from '../figures.js';
import { PROPOSED } from './measured-event.js';
import { type Read, rawRead } from './raw-read.js';
import type { MeasuredServer } from './server.js';

export interface ReadFigures {
  readonly perS: number;
  /** Processor time for one event (µs). */
  readonly serverUs: number;
  readonly clientUs: number;
}

const STREAM = 'catch-up';
const BATCH = 500;

/** Events a second that the official client takes from a server that has them ready. */
export async function measureClient(server: MeasuredServer): Promise<ReadFigures> {
  const client = EventStoreDBClient.connectionString(server.url);
  const readStream = () => drain(client.subscribeToStream(STREAM, { fromRevision: START }));
  await readStream();
  const figures = await rate(server, readStream);
  await client.dispose();
  return figures;
}

/** Events a second of history: by the official client, and by a reader that does not decode (`raw`). */
export async function measureCatchUp(server: MeasuredServer, count: number) {
  const client = EventStoreDBClient.connectionString(server.url);
  await fill(client, count);
  const readStream = () => drain(client.subscribeToStream(STREAM, { fromRevision: START }));
  await readStream();
  const stream = await rate(server, readStream);
  const all = await rate(server, () => drain(client.subscribeToAll({ fromPosition: START })));
  await client.dispose();
  const everything = { readDirection: 'Forwards', count: String(Number.MAX_SAFE_INTEGER) };
  const streamIdentifier = { streamName: Buffer.from(STREAM) };
  const rawStream = await rate(server, () =>
    rawRead(server.port, { ...everything, stream: { streamIdentifier, start: {} } }),
  );
  const rawAll = await rate(server, () => rawRead(server.port, { ...everything, all: { start: {} } }));
  return { streamPerS: stream.perS, allPerS: all.perS, stream, all, raw: { stream: rawStream, all: rawAll } };
}

async function fill(client: EventStoreDBClient, count: number): Promise<void> {
  for (let batch = 0; batch * BATCH < count; batch += 1) {
    const events = Array.from({ length: BATCH }, () => jsonEvent(PROPOSED));
    await client.appendToStream(STREAM, events);
  }
}

async function drain(subscription: StreamSubscription | AllStreamSubscription): Promise<Read> {
  const started = performance.now();
  let events = 0;
  await new Promise<void>((resolve, reject) => {
    subscription.on('data', () => (events += 1));
    subscription.once('caughtUp', resolve);
    subscription.once('error', reject);
  });
  const ms = performance.now() - started;
  await subscription.unsubscribe();
  return { events, ms };
}

async function rate(server: MeasuredServer, read: () => Promise<Read>): Promise<ReadFigures> {
  const before = { server: server.cpuMs(), client: process.cpuUsage() };
  const { events, ms } = await read();
  const { user, system } = process.cpuUsage(before.client);
  return {
    perS: Math.round((events * 1000) / ms),
    serverUs: round(((server.cpuMs() - before.server) * 1000) / events),
    clientUs: round((user + system) / events),
  };
}
