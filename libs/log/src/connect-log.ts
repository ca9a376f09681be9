import {
  ANY,
  BACKWARDS,
  END,
  EventStoreDBClient,
  eventTypeFilter,
  FORWARDS,
  jsonEvent,
  type MetadataType,
  NO_STREAM,
  START,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { Unavailable } from '#platform';
import { WrongRevision } from './errors.js';
import type { Appended, EventLog, Expected, NewEvent, Position, StoredEvent } from './event-log.js';
import { followStore } from './follow-store.js';
import { stored } from './stored.js';
import { unavailable } from './unavailable.js';

/**
 * The event log over `@eventstore/db-client`. It designs around defects of that client (version 6.2.1):
 *
 * L1  One client per process and URL: its table of pending appends is global to the module.
 * L2  An append gets a time limit of our own: the client does not enforce deadlines of batch appends.
 * L3  An append that failed for an unknown reason may have been written: it is repeated with the same event ids.
 * L4  Unavailability comes in several forms (`UnavailableError`, a bare gRPC error with code 14, cancelled calls); all
 *     of them leave this room as `Unavailable`.
 * L5  Closing has a time limit: after a connection was lost, the client's `dispose` may never answer.
 */
export function connectLog(url: string, options: { readonly timeoutMs?: number } = {}): EventLog {
  return new StoreLog(clientFor(url), options.timeoutMs ?? 5_000);
}

const clients = new Map<string, EventStoreDBClient>();

function clientFor(url: string): EventStoreDBClient {
  const known = clients.get(url);
  if (known) return known;
  const client = EventStoreDBClient.connectionString(url);
  clients.set(url, client);
  return client;
}

const APPEND_ATTEMPTS = 3;
const CLOSING_MS = 1_000;

class StoreLog implements EventLog {
  constructor(
    private readonly client: EventStoreDBClient,
    private readonly timeoutMs: number,
  ) {}

  async append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<Appended> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.appendOnce(stream, events, expected);
      } catch (error) {
        if (!(error instanceof Unavailable) || attempt === APPEND_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
      }
    }
  }

  private async appendOnce(stream: string, events: readonly NewEvent[], expected: Expected): Promise<Appended> {
    const written = events.map(({ id, type, data, metadata }) =>
      jsonEvent({ id, type, data: data as Record<string, unknown>, metadata: metadata as MetadataType }),
    );
    try {
      const result = await within(
        this.timeoutMs,
        this.client.appendToStream(stream, written, { expectedRevision: revisionOf(expected) }),
      );
      return { revision: Number(result.nextExpectedRevision), position: String(result.position?.commit ?? 0n) };
    } catch (error) {
      if (error instanceof WrongExpectedVersionError) {
        const actual = Number(error.actualVersion);
        throw new WrongRevision(stream, expected, Number.isSafeInteger(actual) && actual >= 0 ? actual : undefined);
      }
      throw unavailable(error);
    }
  }

  async *read(stream: string, from = 0, max = Number.MAX_SAFE_INTEGER): AsyncIterable<StoredEvent> {
    try {
      const read = this.client.readStream(stream, { direction: FORWARDS, fromRevision: BigInt(from), maxCount: max });
      for await (const { event } of read) if (event) yield stored(event);
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw unavailable(error);
    }
  }

  async last(stream: string): Promise<StoredEvent | undefined> {
    try {
      const read = this.client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 });
      for await (const { event } of read) if (event) return stored(event);
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw unavailable(error);
    }
    return undefined;
  }

  follow(stream: string, after: number) {
    return followStore(() =>
      this.client.subscribeToStream(stream, {
        fromRevision: after < 0 ? START : BigInt(after),
      }),
    );
  }

  followAll(types: readonly string[], after: Position | undefined) {
    return followStore((checkpoint) =>
      this.client.subscribeToAll({
        fromPosition: after === undefined ? START : { commit: BigInt(after), prepare: BigInt(after) },
        filter: eventTypeFilter({
          regex: `^(${types.join('|')})$`,
          checkpointInterval: 32,
          checkpointReached: (_, position) => checkpoint(String(position.commit)),
        }),
      }),
    );
  }

  async *readAll(types: readonly string[], after?: Position): AsyncIterable<StoredEvent> {
    const deliveries = this.followAll(types, after);
    try {
      for await (const delivery of deliveries) {
        if (delivery.kind === 'caught-up') return;
        if (delivery.kind === 'event') yield delivery.event;
      }
    } finally {
      await deliveries.close();
    }
  }

  async end(): Promise<Position | undefined> {
    try {
      for await (const { event } of this.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })) {
        if (event) return String(event.position.commit);
      }
    } catch (error) {
      throw unavailable(error);
    }
    return undefined;
  }

  async keepNewest(stream: string, maxCount: number): Promise<void> {
    try {
      await within(this.timeoutMs, this.client.setStreamMetadata(stream, { maxCount }));
    } catch (error) {
      throw unavailable(error);
    }
  }

  async ping(): Promise<void> {
    await within(this.timeoutMs, this.end());
  }

  async close(): Promise<void> {
    for (const [url, client] of clients) if (client === this.client) clients.delete(url);
    // What it waits for may have ended before it began to wait, and then it waits for ever (L5).
    await within(CLOSING_MS, this.client.dispose()).catch(() => undefined);
  }
}

function revisionOf(expected: Expected): bigint | typeof ANY | typeof NO_STREAM {
  if (expected === 'any') return ANY;
  return expected === 'absent' ? NO_STREAM : BigInt(expected);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable(`The event log did not answer within ${ms} ms.`)), ms);
  });
  // When the limit wins, the client's own late failure must not end the process as an unhandled rejection (L2).
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
