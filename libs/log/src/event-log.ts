/** An event about to be written. The id makes a repeated append of the same event harmless. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** An event as it was written, not yet checked against any schema. */
export interface StoredEvent {
  readonly id: string;
  readonly stream: string;
  /** Its place in its stream, from 0. */
  readonly revision: number;
  /** Its place in the whole log; grows, with gaps. Text that sorts only by `comparePositions`. */
  readonly position: Position;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
  /** When the log took it, milliseconds since 1970. */
  readonly created: number;
}

/** A place in the whole log, as decimal text (it exceeds safe integers). */
export type Position = string;

export const comparePositions = (a: Position, b: Position): number => {
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : Number(difference > 0n);
};

/** What the writer believes of the stream: nothing, that it does not exist, or its last revision. */
export type Expected = 'any' | 'absent' | number;

export interface Appended {
  /** The revision of the last event written. */
  readonly revision: number;
  readonly position: Position;
}

/** What is kept of a stream: its newest events, those of the last so many days, or both. */
export interface StreamLimits {
  readonly newest?: number;
  readonly days?: number;
}

/** What a subscription delivers. `checkpoint`: everything up to here has been considered, nothing more matched. */
export type Delivery =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'checkpoint'; readonly position: Position };

/** A subscription: iterate it; `close` ends the iteration. It ends with an `Unavailable` when the connection is lost. */
export interface Subscription<T> extends AsyncIterable<T> {
  close(): Promise<void>;
}

/**
 * The event log. Every method throws `Unavailable` when the log does not answer in time, and then an append may or may
 * not have been written: retry it with the same event ids.
 */
export interface EventLog {
  /**
   * Appends all events or none.
   * @throws WrongRevision when the stream is not at `expected` (and these events are not already there).
   * @throws LogRefused when the log will never take them: more than it takes at once (1 MiB), or not allowed.
   */
  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<Appended>;
  /** Reads forwards from revision `from` (included), at most `max` events; an absent stream is empty. */
  read(stream: string, from?: number, max?: number): AsyncIterable<StoredEvent>;
  /** The newest event of a stream. */
  last(stream: string): Promise<StoredEvent | undefined>;
  /** History after revision `after` (-1 for all), then live, without gap or repeat. */
  follow(stream: string, after: number): Subscription<Delivery>;
  /** Like `follow`, over the whole log: events of the given types after a position (undefined for all). */
  followAll(types: readonly string[], after: Position | undefined): Subscription<Delivery>;
  /** Reads the whole log forwards after a position: events of the given types. */
  readAll(types: readonly string[], after?: Position): AsyncIterable<StoredEvent>;
  /** The newest position of the log, or undefined when it is empty. */
  end(): Promise<Position | undefined>;
  /** Reads the whole log forwards: events whose type does not begin with these letters, also of types yet unknown. */
  readBesides(prefix: string): AsyncIterable<StoredEvent>;
  /** Says how long the events of a stream are kept; what it said before is replaced. */
  limit(stream: string, limits: StreamLimits): Promise<void>;
  /**
   * Removes what a stream holds up to `expected`, its last revision. It may be written again, as a new one.
   * @throws WrongRevision when something was appended since.
   */
  remove(stream: string, expected: number): Promise<void>;
  /** Resolves when the log answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
