import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { median, quantile, round } from '../figures.js';
import { PROPOSED } from './measured-event.js';
import type { MeasuredServer } from './server.js';

export interface AppendFigures {
  readonly perS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time for one append (µs). */
  readonly serverUs: number;
  readonly clientUs: number;
}

/** This many writers, each with a stream of its own, each waiting for its answer before it writes again. */
export async function measureAppends(server: MeasuredServer, writers: number, ms: number): Promise<AppendFigures> {
  const client = EventStoreDBClient.connectionString(server.url);
  const samples: number[] = [];
  const begin = performance.now() + ms / 5;
  const end = begin + ms;
  const before = { server: server.cpuMs(), client: process.cpuUsage() };
  let all = 0;
  const write = async (writer: number): Promise<void> => {
    while (performance.now() < end) {
      const started = performance.now();
      await client.appendToStream(`writer-${writers}-${writer}`, jsonEvent(PROPOSED));
      all += 1;
      if (started >= begin) samples.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  const { user, system } = process.cpuUsage(before.client);
  const serverMs = server.cpuMs() - before.server;
  await client.dispose();
  return {
    perS: Math.round((samples.length * 1000) / ms),
    p50Ms: round(median(samples), 3),
    p99Ms: round(quantile(samples, 0.99), 3),
    serverUs: round((serverMs * 1000) / all),
    clientUs: round((user + system) / all),
  };
}
