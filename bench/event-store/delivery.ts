import { once } from 'node:events';
import { END, EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { median, quantile, round } from '../figures.js';
import type { MeasuredServer } from './server.js';

/** From the call of an append to its arrival at a subscription to `$all`, one event at a time (ms). */
export async function measureDelivery(server: MeasuredServer, ms: number): Promise<{ p50Ms: number; p99Ms: number }> {
  const client = EventStoreDBClient.connectionString(server.url);
  const subscription = client.subscribeToAll({ fromPosition: END });
  await new Promise<void>((resolve) => subscription.once('caughtUp', resolve));
  const samples: number[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const arrived = once(subscription, 'data');
    const started = performance.now();
    const written = client.appendToStream('delivery', jsonEvent({ type: 'Measured', data: {} }));
    await arrived;
    samples.push(performance.now() - started);
    await written;
  }
  await subscription.unsubscribe();
  await client.dispose();
  return { p50Ms: round(median(samples), 3), p99Ms: round(quantile(samples, 0.99), 3) };
}
