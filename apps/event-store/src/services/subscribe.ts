import { newId } from '#platform';
import type { Call } from '../grpc/call.js';
import { streamDeleted } from '../grpc/refusal.js';
import type { Filter } from '../storage/filter.js';
import type { FilteredStretch, Stretch } from '../storage/reader.js';
import { isTombstoned } from '../storage/streams.js';
import { ALL, type Wakeups } from '../storage/wakeups.js';
import type { FilterOption } from './filter-option.js';
import { PageSize } from './page-size.js';
import { breathe, type Sink, type Store } from './sink.js';
import { type AllOption, allSubscriptionStart, type StreamOption, streamSubscriptionStart } from './start-option.js';
import { NOTHING, positionOf } from './wire.js';

/** Sends what is new. @returns whether that was all, for now. */
type Forward = () => boolean;

/** History, then `caught_up` once, then what is written from now on, until the call is over. */
export async function subscribeToStream(
  { log, reader, access }: Store,
  stream: string,
  start: StreamOption,
  sink: Sink,
): Promise<void> {
  const pages = new PageSize();
  let from = streamSubscriptionStart(start, log.streams.get(stream).last);
  await follow(log.wakeups, stream, sink, () => {
    // Lists change while a subscription is open.
    access.require(sink.call.caller, 'read', stream);
    const state = log.streams.get(stream);
    if (isTombstoned(state)) throw streamDeleted(stream);
    const limit = pages.limit;
    const page = reader.readStream(state, from, 'forwards', limit);
    sink.send(page);
    from = Math.max(from, (page.at(-1)?.revision ?? -1) + 1);
    pages.learn(page);
    return page.length < limit;
  });
}

export interface AllSubscription {
  readonly start: AllOption;
  readonly filter: Filter | undefined;
  readonly option: FilterOption | undefined;
}

/** With a filter, a checkpoint tells the client how far it would have come without one. */
export async function subscribeToAll(
  { log, reader, access }: Store,
  { start, filter, option }: AllSubscription,
  sink: Sink,
): Promise<void> {
  const pages = new PageSize();
  const checkpoints = new Checkpoints(option);
  let beyond = allSubscriptionStart(start, log.lastPosition);
  const forward = (from: number, limit: number): Stretch => {
    if (filter) {
      const page = reader.readFiltered(from, 'forwards', filter, { limit, window: Number.MAX_SAFE_INTEGER });
      checkpoints.send(page, sink);
      return page;
    }
    const page = reader.readAll(from, 'forwards', limit);
    sink.send(page.events);
    return page;
  };
  await follow(log.wakeups, ALL, sink, () => {
    access.require(sink.call.caller, 'read', ALL);
    const page = forward(beyond, pages.limit);
    beyond = page.considered;
    pages.learn(page.events);
    return page.end;
  });
}

/** Puts a checkpoint behind every so many events that were looked at, whether they passed the filter or not. */
class Checkpoints {
  private readonly interval: number;
  /** Events that were looked at since the last one. */
  private unmarked = 0;

  constructor(option: FilterOption | undefined) {
    this.interval = Math.max(1, option?.max ?? 32) * Math.max(1, option?.checkpointIntervalMultiplier ?? 1);
  }

  send({ events, count, positionAt }: FilteredStretch, sink: Sink): void {
    let left = events;
    for (let nth = this.interval - this.unmarked; nth <= count; nth += this.interval) {
      const position = positionAt(nth);
      const later = left.findIndex((event) => event.position > position);
      const passed = later < 0 ? left.length : later;
      if (passed > 0) sink.send(left.slice(0, passed));
      left = left.slice(passed);
      sink.sendMessage({ checkpoint: positionOf(position) });
    }
    sink.send(left);
    this.unmarked = (this.unmarked + count) % this.interval;
  }
}

/**
 * Nothing is lost or repeated between history and live, because both are read from the log, by the same place in it:
 * the bell is armed before each read, so that a commit after the read is noticed.
 */
async function follow(wakeups: Wakeups, stream: string, { call, sendMessage }: Sink, forward: Forward): Promise<void> {
  sendMessage({ confirmation: { subscriptionId: newId() } });
  let caughtUp = false;
  while (!call.over) {
    const bell = arm(wakeups, stream, call);
    const end = forward();
    if (end && !caughtUp) {
      caughtUp = true;
      sendMessage({ caughtUp: NOTHING });
    }
    await (end ? bell.rung.then(() => call.drained()) : breathe(call));
    bell.disarm();
  }
}

interface Bell {
  readonly rung: Promise<void>;
  readonly disarm: () => void;
}

/** Rings at the next commit to the stream, or when the call is over. */
function arm(wakeups: Wakeups, stream: string, { signal }: Call): Bell {
  const undo: (() => void)[] = [];
  const rung = new Promise<void>((resolve) => {
    const ring = () => resolve();
    signal.addEventListener('abort', ring, { once: true });
    undo.push(wakeups.next(stream, ring), () => signal.removeEventListener('abort', ring));
  });
  const disarm = () => {
    for (const one of undo) one();
  };
  return { rung, disarm };
}
