import { BatonError } from '#platform';
import type { Database } from './database.js';
import { bytesOf, checksumOf, type RecordedEvent } from './event.js';
import type { EventLog } from './event-log.js';
import type { Filter } from './filter.js';
import { firstVisible, isTombstoned, oldestVisible, type StreamState } from './streams.js';

export type Direction = 'forwards' | 'backwards';

/** What was read is not what was written: the file is damaged, and nothing of it is served. */
class Damaged extends BatonError {
  readonly code = 'damaged';
  readonly remedy = 'give-up';
}

/** A stretch of `$all` that was looked at. */
export interface Stretch {
  readonly events: readonly RecordedEvent[];
  /** The last position looked at; the next stretch begins beyond it. */
  readonly considered: number;
  /** How many events were looked at. */
  readonly count: number;
  /** Nothing lies beyond, now. */
  readonly end: boolean;
}

/** A stretch that was looked at through a filter. */
export interface FilteredStretch extends Stretch {
  /** The position of the nth event that was looked at, from 1 to `count`. */
  readonly positionAt: (nth: number) => number;
}

const COLUMNS = 'position, stream, revision, type, id, created, json, checksum, metadata, data';
type Row = [number, number, number, number, Uint8Array, number, number, number, Uint8Array | null, Uint8Array | null];
type Key = [position: number, stream: number, type: number];

const SCAN = 1024;
/** A page with fewer hits than this share of what it looked at is followed by one that goes by the index. */
const SPARSE = 1 / 16;

export class Reader {
  private readonly streamForwards;
  private readonly streamBackwards;
  private readonly allForwards;
  private readonly allBackwards;
  private readonly keysForwards;
  private readonly keysBackwards;
  private readonly typeForwards;
  private readonly typeBackwards;
  private readonly one;

  constructor(
    database: Database,
    private readonly log: EventLog,
    private readonly now: () => number,
  ) {
    const rows = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    const all = `SELECT ${COLUMNS} FROM events WHERE`;
    this.streamForwards = rows(
      `${all} stream=? AND revision>=? AND revision<=? AND created>=? ORDER BY revision LIMIT ?`,
    );
    this.streamBackwards = rows(
      `${all} stream=? AND revision>=? AND revision<=? AND created>=? ORDER BY revision DESC LIMIT ?`,
    );
    this.allForwards = rows(`${all} position>? ORDER BY position LIMIT ?`);
    this.allBackwards = rows(`${all} position<? ORDER BY position DESC LIMIT ?`);
    const keys = 'SELECT position, stream, type FROM events WHERE';
    this.keysForwards = rows(`${keys} position>? ORDER BY position LIMIT ${SCAN}`);
    this.keysBackwards = rows(`${keys} position<? ORDER BY position DESC LIMIT ${SCAN}`);
    this.typeForwards = rows('SELECT position FROM events WHERE type=? AND position>? ORDER BY position LIMIT ?');
    this.typeBackwards = rows('SELECT position FROM events WHERE type=? AND position<? ORDER BY position DESC LIMIT ?');
    this.one = rows(`${all} position=?`);
  }

  /** Up to `limit` visible events of the stream from this revision on, or back from it, including it. */
  readStream(state: StreamState, from: number, direction: Direction, limit: number): RecordedEvent[] {
    if (state.id === undefined || limit <= 0) return [];
    const visible = firstVisible(state);
    const oldest = oldestVisible(state, this.now());
    const rows =
      direction === 'forwards'
        ? this.streamForwards.all(state.id, Math.max(from, visible), state.last, oldest, limit)
        : this.streamBackwards.all(state.id, visible, Math.min(from, state.last), oldest, limit);
    const events = (rows as Row[]).map((row) => this.event(row));
    if (state.policy.maxAge === undefined && !isTombstoned(state))
      requireGapless(state, events, direction, {
        from: Math.max(from, visible),
        to: Math.min(from, state.last),
        visible,
      });
    return events;
  }

  /** Up to `limit` events of `$all` after this position, or before it; never the one at it. */
  readAll(beyond: number, direction: Direction, limit: number): Stretch {
    const statement = direction === 'forwards' ? this.allForwards : this.allBackwards;
    const events = (statement.all(beyond, limit) as Row[]).map((row) => this.event(row));
    requireOrder(beyond, events, direction);
    return {
      events,
      considered: events.at(-1)?.position ?? beyond,
      count: events.length,
      end: events.length < limit,
    };
  }

  /** The event to which a link points, if it is there and visible. */
  linked(stream: string, revision: number): RecordedEvent | undefined {
    const state = this.log.streams.get(stream);
    if (isTombstoned(state)) return undefined;
    return this.readStream(state, revision, 'forwards', 1).find((event) => event.revision === revision);
  }

  /** One stretch of `$all` through a filter: it ends after `limit` hits or about `window` events looked at. */
  readFiltered(beyond: number, direction: Direction, filter: Filter, { limit, window }: Bounds): FilteredStretch {
    const scanned = this.scan(beyond, direction, filter, { limit, window });
    if (scanned.end || filter.on === 'stream' || scanned.events.length > scanned.count * SPARSE) return scanned;
    if (scanned.count >= window || scanned.events.length >= limit) return scanned;
    const seeking = { limit: limit - scanned.events.length, window: window - scanned.count };
    const sought = this.seek(scanned.considered, direction, filter, seeking);
    return {
      ...sought,
      events: [...scanned.events, ...sought.events],
      count: scanned.count + sought.count,
      positionAt: (nth) => (nth <= scanned.count ? scanned.positionAt(nth) : sought.positionAt(nth - scanned.count)),
    };
  }

  /** Looks at every event of the stretch. */
  private scan(beyond: number, direction: Direction, filter: Filter, { limit, window }: Bounds): FilteredStretch {
    const statement = direction === 'forwards' ? this.keysForwards : this.keysBackwards;
    const keys = (statement.all(beyond) as Key[]).slice(0, window);
    const accepts = this.acceptance(filter);
    const hits: number[] = [];
    let count = 0;
    for (const [position, stream, type] of keys) {
      count += 1;
      if (accepts(stream, type)) hits.push(position);
      if (hits.length >= limit) break;
    }
    const positionAt = (nth: number): number => keys[nth - 1]?.[0] ?? beyond;
    return {
      events: hits.map((position) => this.at(position)),
      considered: positionAt(count),
      count,
      end: count === keys.length && keys.length < Math.min(SCAN, window),
      positionAt,
    };
  }

  /** Goes from hit to hit by the index of event types. */
  private seek(beyond: number, direction: Direction, filter: Filter, { limit, window }: Bounds): FilteredStretch {
    const forwards = direction === 'forwards';
    const statement = forwards ? this.typeForwards : this.typeBackwards;
    const edge = forwards ? Math.min(beyond + window, this.log.lastPosition) : Math.max(beyond - window, 1);
    const hits = this.log.types
      .matching(filter.accepts)
      .flatMap((type) => (statement.all(type, beyond, limit) as [number][]).map(([position]) => position))
      .filter((position) => (forwards ? position <= edge : position >= edge))
      .toSorted((a, b) => (forwards ? a - b : b - a))
      .slice(0, limit);
    const considered = hits.length >= limit ? (hits.at(-1) ?? edge) : edge;
    return {
      events: hits.map((position) => this.at(position)),
      considered: forwards ? Math.max(considered, beyond) : Math.min(considered, beyond),
      count: Math.abs(considered - beyond),
      end: forwards ? considered >= this.log.lastPosition : considered <= 1,
      // Positions of events that were scavenged count as if they were there.
      positionAt: (nth) => (forwards ? beyond + nth : beyond - nth),
    };
  }

  private acceptance(filter: Filter): (stream: number, type: number) => boolean {
    const known = new Map<number, boolean>();
    const ask = (id: number, name: () => string): boolean => {
      const answer = known.get(id) ?? filter.accepts(name());
      known.set(id, answer);
      return answer;
    };
    return filter.on === 'type'
      ? (_, type) => ask(type, () => this.log.types.nameOf(type))
      : (stream) => ask(stream, () => this.log.streams.nameOf(stream));
  }

  private at(position: number): RecordedEvent {
    return this.event(this.one.get(position) as Row);
  }

  private event(row: Row): RecordedEvent {
    const [position, stream, revision, type, id, created, json, checksum, metadata, data] = row;
    const event = {
      position,
      stream: this.log.streams.nameOf(stream),
      revision,
      type: this.log.types.nameOf(type),
      id,
      created,
      json: json === 1,
      metadata: bytesOf(metadata),
      data: bytesOf(data),
    };
    if (checksumOf(event) !== checksum)
      throw new Damaged(`Event ${revision} of ${event.stream} (position ${position}) is damaged: restore a backup.`);
    return event;
  }
}

const OF_THE_DATABASE = 'the database is damaged; run the check and restore a backup';

/**
 * The checksum vouches for each event; this vouches for the index by which they were found: that it has brought all of
 * them, of this stream and no other.
 */
function requireGapless(
  { name, last }: StreamState,
  events: readonly RecordedEvent[],
  direction: Direction,
  { from, to, visible }: { readonly from: number; readonly to: number; readonly visible: number },
): void {
  const forwards = direction === 'forwards';
  let wanted = forwards ? from : to;
  for (const { stream, revision } of events) {
    if (stream !== name || revision !== wanted) throw lacking(name, wanted);
    wanted += forwards ? 1 : -1;
  }
  if (events.length === 0 && (forwards ? wanted <= last : wanted >= visible)) throw lacking(name, wanted);
}

const lacking = (stream: string, revision: number): Damaged =>
  new Damaged(`Stream ${stream} lacks revision ${revision}: ${OF_THE_DATABASE}.`);

/** `$all` has gaps where events were scavenged, but never goes back. */
function requireOrder(beyond: number, events: readonly RecordedEvent[], direction: Direction): void {
  let before = beyond;
  for (const { position } of events) {
    if (direction === 'forwards' ? position <= before : position >= before)
      throw new Damaged(`After position ${before} comes ${position}: ${OF_THE_DATABASE}.`);
    before = position;
  }
}

export interface Bounds {
  readonly limit: number;
  readonly window: number;
}
