import type { RecordedEvent } from '../storage/event.js';
import type { EventLog } from '../storage/event-log.js';
import type { Filter } from '../storage/filter.js';
import type { Reader } from '../storage/reader.js';
import { ALL } from '../storage/wakeups.js';
import { isCheckpointStream } from './names.js';

export interface Page {
  readonly events: readonly RecordedEvent[];
  /** The last place looked at; the next page begins beyond it. */
  readonly passed: number;
  /** How many events were looked at and left out. */
  readonly skipped: number;
  /** Nothing lies beyond, now. */
  readonly end: boolean;
}

/** Where a group gets its events: a stream, whose places are revisions, or `$all`, whose places are positions. */
export interface Source {
  readonly stream: string;
  read(beyond: number, limit: number): Page;
  placeOf(event: RecordedEvent): number;
  /** The place of the last event that there is; less than that of any event when there is none. */
  last(): number;
  /** A place as it is written in checkpoints and told to clients; nothing for a place before any event. */
  textOf(place: number): string;
}

/** Events of `$all` looked at for one page, so that a filter that lets nothing through does not keep others waiting. */
const WINDOW = 4096;

export function streamSource({ streams }: EventLog, reader: Reader, stream: string): Source {
  return {
    stream,
    read: (beyond, limit) => {
      const events = reader.readStream(streams.get(stream), beyond + 1, 'forwards', limit);
      return { events, passed: events.at(-1)?.revision ?? beyond, skipped: 0, end: events.length < limit };
    },
    placeOf: ({ revision }) => revision,
    last: () => streams.get(stream).last,
    textOf: (place) => (place < 0 ? '' : String(place)),
  };
}

/**
 * Checkpoints of groups are left out of `$all`: a group that got its own would write the next one because of it,
 * and two groups would do so for each other.
 */
export function allSource(log: EventLog, reader: Reader, filter: Filter | undefined): Source {
  return {
    stream: ALL,
    read: (beyond, limit) => {
      const page = filter
        ? reader.readFiltered(beyond, 'forwards', filter, { limit, window: WINDOW })
        : reader.readAll(beyond, 'forwards', limit);
      const events = page.events.filter(({ stream }) => !isCheckpointStream(stream));
      return { events, passed: page.considered, skipped: page.count - page.events.length, end: page.end };
    },
    placeOf: ({ position }) => position,
    last: () => log.lastPosition,
    textOf: (place) => (place < 1 ? '' : positionText(place)),
  };
}

export const positionText = (position: number): string => `C:${position}/P:${position}`;

/** The place in a checkpoint: a revision or `C:n/P:n`. */
export function placeIn(text: string): number | undefined {
  const [, place] = /^(?:C:(\d+)\/P:\d+|\d+)$/.test(text) ? (/(\d+)/.exec(text) ?? []) : [];
  return place === undefined ? undefined : Number(place);
}
