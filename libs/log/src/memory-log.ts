import { Deliveries } from './deliveries.js';
import { LogRefused, WrongRevision } from './errors.js';
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

/** What the real one takes at once, in bytes. */
const MOST_BYTES = 1_048_576;

/** The event log in memory, with the rules of the real one: for unit tests and simulated worlds. */
export function createMemoryLog(now: () => number = () => 0): EventLog {
  return new MemoryLog(now);
}

const MS_A_DAY = 86_400_000;

class MemoryLog implements EventLog {
  private readonly all: StoredEvent[] = [];
  private readonly streams = new Map<string, StoredEvent[]>();
  private readonly limits = new Map<string, StreamLimits>();
  /** The place of each event in its stream, by stream and id. */
  private readonly places = new Map<string, Map<string, number>>();
  /** The first revision of a stream that was removed and may have been written again. */
  private readonly firsts = new Map<string, number>();
  private readonly followers = new Set<(event: StoredEvent) => void>();

  constructor(private readonly now: () => number) {}

  async append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<Appended> {
    const present = this.streams.get(stream) ?? [];
    const again = this.repeated(stream, events, expected);
    if (again) return again;
    const end = present.length - 1;
    const isEmpty = (this.firsts.get(stream) ?? 0) > end;
    const believed = expected === 'absent' ? (isEmpty ? end : -1) : expected;
    if (believed !== 'any' && believed !== end) throw new WrongRevision(stream, expected, end < 0 ? undefined : end);
    if (isTooMuch(events)) throw new LogRefused(`The event log refuses more than ${MOST_BYTES} bytes at once.`);
    const written = events.map((event, place): StoredEvent => {
      const { id, type, data, metadata } = structuredClone(event);
      const position = String(this.all.length + place + 1);
      return { id, type, data, metadata, stream, revision: end + 1 + place, position, created: this.now() };
    });
    present.push(...written);
    this.streams.set(stream, present);
    this.all.push(...written);
    this.notePlaces(stream, written);
    for (const event of written) for (const follower of this.followers) follower(event);
    return answer(written.at(-1), end);
  }

  private notePlaces(stream: string, written: readonly StoredEvent[]): void {
    const places = this.places.get(stream) ?? new Map<string, number>();
    for (const { id, revision } of written) if (!places.has(id)) places.set(id, revision);
    this.places.set(stream, places);
  }

  /** An append of events that are already there, at the same place, is answered as it was the first time. */
  private repeated(stream: string, events: readonly NewEvent[], expected: Expected): Appended | undefined {
    const first = this.places.get(stream)?.get(events[0]?.id ?? '');
    if (first === undefined) return undefined;
    const present = this.streams.get(stream) ?? [];
    if (!events.every((event, place) => present[first + place]?.id === event.id)) return undefined;
    const before = expected === 'absent' ? -1 : expected;
    if (before !== 'any' && before !== (present[first]?.revision ?? 0) - 1) return undefined;
    return answer(present[first + events.length - 1], -1);
  }

  read(stream: string, from = 0, max = Number.MAX_SAFE_INTEGER): AsyncIterable<StoredEvent> {
    const visible = (this.streams.get(stream) ?? []).slice(from).filter((event) => this.isVisible(event));
    return inOrder(visible.slice(0, max));
  }

  private isVisible({ stream, revision, created }: StoredEvent): boolean {
    const limits = this.limits.get(stream);
    const first = this.firsts.get(stream);
    if (!limits && first === undefined) return true;
    const { newest = Number.POSITIVE_INFINITY, days = Number.POSITIVE_INFINITY } = limits ?? {};
    if (revision < (first ?? 0) || created < this.now() - days * MS_A_DAY) return false;
    return revision >= (this.streams.get(stream)?.length ?? 0) - newest;
  }

  async last(stream: string): Promise<StoredEvent | undefined> {
    const last = this.streams.get(stream)?.at(-1);
    return last && this.isVisible(last) ? last : undefined;
  }

  follow(stream: string, after: number): Subscription<Delivery> {
    return this.subscribe((event) => event.stream === stream && event.revision > after);
  }

  followAll(types: readonly string[], after: Position | undefined): Subscription<Delivery> {
    return this.subscribe((event) => types.includes(event.type) && Number(event.position) > Number(after ?? 0));
  }

  private subscribe(wanted: (event: StoredEvent) => boolean): Subscription<Delivery> {
    const deliveries = new Deliveries<Delivery>();
    const deliver = (event: StoredEvent): void => {
      if (wanted(event)) deliveries.push({ kind: 'event', event });
    };
    for (const event of this.all) if (this.isVisible(event)) deliver(event);
    deliveries.push({ kind: 'caught-up' });
    this.followers.add(deliver);
    return {
      [Symbol.asyncIterator]: () => deliveries[Symbol.asyncIterator](),
      close: async () => {
        this.followers.delete(deliver);
        deliveries.end();
      },
    };
  }

  async *readAll(types: readonly string[], after?: Position): AsyncIterable<StoredEvent> {
    // A position is the place in the log, from 1.
    const wanted = this.all.slice(Number(after ?? 0)).filter(({ type }) => types.includes(type));
    yield* wanted.filter((event) => this.isVisible(event));
  }

  async *readBesides(prefix: string): AsyncIterable<StoredEvent> {
    yield* this.all.filter((event) => !event.type.startsWith(prefix) && this.isVisible(event));
  }

  async end(): Promise<Position | undefined> {
    return this.all.at(-1)?.position;
  }

  async limit(stream: string, limits: StreamLimits): Promise<void> {
    this.limits.set(stream, limits);
  }

  async remove(stream: string, expected: number): Promise<void> {
    const last = await this.last(stream);
    if (last?.revision !== expected) throw new WrongRevision(stream, expected, last?.revision);
    this.firsts.set(stream, expected + 1);
  }

  async ping(): Promise<void> {
    await Promise.resolve();
  }

  async close(): Promise<void> {
    this.followers.clear();
    await Promise.resolve();
  }
}

/** What is there already, one after the other: a generator would wait three times for each. */
function inOrder<T>(values: readonly T[]): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const each = values[Symbol.iterator]();
      return { next: () => Promise.resolve(each.next()) };
    },
  };
}

const isTooMuch = (events: readonly NewEvent[]): boolean =>
  mostCharacters(events) > MOST_BYTES && JSON.stringify(events).length > MOST_BYTES;

/** At the most how many characters the value has as JSON: what is far from too large need not be written to know it. */
function mostCharacters(value: unknown): number {
  if (typeof value === 'string') return 2 + MOST_ESCAPED * value.length;
  if (typeof value !== 'object' || value === null) return LONGEST_NUMBER;
  const fields = value as Readonly<Record<string, unknown>>;
  let sum = 2;
  for (const key of Object.keys(fields)) sum += 4 + MOST_ESCAPED * key.length + mostCharacters(fields[key]);
  return sum;
}
/** What one character may take when it is written as an escape. */
const MOST_ESCAPED = 6;
const LONGEST_NUMBER = 24;

const answer = (last: StoredEvent | undefined, otherwise: number): Appended => ({
  revision: last?.revision ?? otherwise,
  position: last?.position ?? '0',
});
