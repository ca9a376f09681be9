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
import type {
  Appended,
  Delivery,
  EventLog,
  Expected,
  NewEvent,
  Position,
  StoredEvent,
  StreamLimits,
  Subscription,
} from './event-log.js';
import { failureOf } from './failure-of.js';
import { followStore } from './follow-store.js';
import { eachWithin, within } from './in-time.js';
import { stored } from './stored.js';

/**
 * The event log over `@eventstore/db-client`. It designs around defects of that client (version 6.2.1):
 *
 * L1  One client per process and URL: its table of pending appends is global to the module. So the failure of one store
 *     rejects appends to another too; they are repeated (L3).
 * L2  Appends and reads get a time limit of our own: the client does not enforce deadlines of batch appends, the store
 *     does so by two clocks that may not agree, and a late rejection that nobody waits for would end the process.
 * L3  An append that failed for an unknown reason may have been written: it is repeated with the same event ids.
 * L4  Unavailability comes in several forms (`UnavailableError`, a bare gRPC error with code 14, cancelled calls); all
 *     of them leave this room as `Unavailable`. What the store refuses leaves it as `LogRefused` and is not repeated.
 * L5  Closing has a time limit: after a connection was lost, the client's `dispose` may never answer.
 */
export function connectLog(url: string, options: { readonly timeoutMs?: number } = {}): EventLog {
  const shared = clients.get(url) ?? { client: EventStoreDBClient.connectionString(url), users: 0 };
  clients.set(url, shared);
  shared.users += 1;
  return new StoreLog(shared.client, options.timeoutMs ?? 5_000, () => leaveClient(url, shared));
}

interface SharedClient {
  readonly client: EventStoreDBClient;
  users: number;
}

const clients = new Map<string, SharedClient>();

/** The last one who leaves closes the client. */
async function leaveClient(url: string, shared: SharedClient): Promise<void> {
  shared.users -= 1;
  if (shared.users > 0) return;
  clients.delete(url);
  // What it waits for may have ended before it began to wait, and then it waits for ever (L5).
  await within(CLOSING_MS, shared.client.dispose()).catch(() => undefined);
}

/**
 * The client sends the end of an append's time as a moment of its own wall clock, and the store compares that with its own:
 * it is so far off, in milliseconds, that no clock which is behind has every append refused.
 */
const STORE_DEADLINE_MS = 7 * 86_400_000;
const APPEND_ATTEMPTS = 3;
const CLOSING_MS = 1_000;
const SECONDS_A_DAY = 86_400;

class StoreLog implements EventLog {
  private closed: Promise<void> | undefined;

  constructor(
    private readonly client: EventStoreDBClient,
    private readonly timeoutMs: number,
    private readonly leave: () => Promise<void>,
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
        this.client.appendToStream(stream, written, {
          expectedRevision: revisionOf(expected),
          deadline: STORE_DEADLINE_MS,
        }),
      );
      return { revision: Number(result.nextExpectedRevision), position: String(result.position?.commit ?? 0n) };
    } catch (error) {
      throw wrongRevision(error, stream, expected) ?? failureOf(error);
    }
  }

  async *read(stream: string, from = 0, max = Number.MAX_SAFE_INTEGER): AsyncIterable<StoredEvent> {
    try {
      const read = this.client.readStream(stream, { direction: FORWARDS, fromRevision: BigInt(from), maxCount: max });
      for await (const { event } of eachWithin(this.timeoutMs, read)) if (event) yield stored(event);
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw failureOf(error);
    }
  }

  async last(stream: string): Promise<StoredEvent | undefined> {
    try {
      const read = this.client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 });
      for await (const { event } of eachWithin(this.timeoutMs, read)) if (event) return stored(event);
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw failureOf(error);
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
    return this.followTypes(`^(${types.join('|')})$`, after);
  }

  private followTypes(regex: string, after: Position | undefined) {
    return followStore((checkpoint) =>
      this.client.subscribeToAll({
        fromPosition: after === undefined ? START : { commit: BigInt(after), prepare: BigInt(after) },
        filter: eventTypeFilter({
          regex,
          checkpointInterval: 32,
          checkpointReached: (_, position) => checkpoint(String(position.commit)),
        }),
      }),
    );
  }

  readAll(types: readonly string[], after?: Position): AsyncIterable<StoredEvent> {
    return untilCaughtUp(this.followAll(types, after));
  }

  readBesides(prefix: string): AsyncIterable<StoredEvent> {
    return untilCaughtUp(this.followTypes(otherThan(prefix), undefined));
  }

  async end(): Promise<Position | undefined> {
    try {
      const read = this.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
      for await (const { event } of eachWithin(this.timeoutMs, read)) {
        if (event) return String(event.position.commit);
      }
    } catch (error) {
      throw failureOf(error);
    }
    return undefined;
  }

  async limit(stream: string, { newest, days }: StreamLimits): Promise<void> {
    const metadata = {
      ...(newest === undefined ? {} : { maxCount: newest }),
      ...(days === undefined ? {} : { maxAge: days * SECONDS_A_DAY }),
    };
    try {
      await within(this.timeoutMs, this.client.setStreamMetadata(stream, metadata));
    } catch (error) {
      throw failureOf(error);
    }
  }

  async remove(stream: string, expected: number): Promise<void> {
    try {
      await within(this.timeoutMs, this.client.deleteStream(stream, { expectedRevision: BigInt(expected) }));
    } catch (error) {
      throw wrongRevision(error, stream, expected) ?? failureOf(error);
    }
  }

  async ping(): Promise<void> {
    await this.end();
  }

  close(): Promise<void> {
    this.closed ??= this.leave();
    return this.closed;
  }
}

function wrongRevision(error: unknown, stream: string, expected: Expected): WrongRevision | undefined {
  if (!(error instanceof WrongExpectedVersionError)) return undefined;
  const actual = Number(error.actualVersion);
  return new WrongRevision(stream, expected, Number.isSafeInteger(actual) && actual >= 0 ? actual : undefined);
}

async function* untilCaughtUp(deliveries: Subscription<Delivery>): AsyncGenerator<StoredEvent, void, void> {
  try {
    for await (const delivery of deliveries) {
      if (delivery.kind === 'caught-up') return;
      if (delivery.kind === 'event') yield delivery.event;
    }
  } finally {
    await deliveries.close();
  }
}

/** Matches what does not begin with the letters, without the look-ahead that linear matchers do not have. */
function otherThan(prefix: string): string {
  const ways = prefix.split('').map((letter, place) => `${prefix.slice(0, place)}([^${letter}]|$)`);
  return `^(${ways.join('|')})`;
}

function revisionOf(expected: Expected): bigint | typeof ANY | typeof NO_STREAM {
  if (expected === 'any') return ANY;
  return expected === 'absent' ? NO_STREAM : BigInt(expected);
}
