import { single } from '../grpc/handlers.js';
import { invalid, streamDeleted } from '../grpc/refusal.js';
import { methodOf } from '../protocol/codec.js';
import { EventFrames } from '../protocol/event-frames.js';
import type { Filter } from '../storage/filter.js';
import type { Direction, Stretch } from '../storage/reader.js';
import { isAbsent, isTombstoned } from '../storage/streams.js';
import { ALL } from '../storage/wakeups.js';
import { type FilterOption, filterOf } from './filter-option.js';
import { PageSize } from './page-size.js';
import { delivery } from './read-event.js';
import { breathe, type Sink, type Store } from './sink.js';
import { type AllOption, allStart, type StreamOption, streamStart } from './start-option.js';
import { subscribeToAll, subscribeToStream } from './subscribe.js';
import { type Nothing, streamNameOf } from './wire.js';

interface ReadOptions {
  readonly stream?: StreamOption;
  readonly all?: AllOption;
  readonly readDirection?: 'Forwards' | 'Backwards';
  readonly resolveLinks?: boolean;
  readonly countOption?: 'count' | 'subscription';
  readonly count?: string;
  readonly filterOption?: 'filter' | 'noFilter';
  readonly filter?: FilterOption;
  readonly uuidOption?: { readonly structured?: Nothing };
}

interface ReadRequest {
  readonly options?: ReadOptions;
}

const { request, response } = methodOf<ReadRequest, object>('event_store.client.streams.Streams', 'Read');

export const read = (store: Store) =>
  single(request, async ({ options }, call) => {
    if (!options) throw invalid('The read has no options.');
    const deliver = delivery(store.reader, {
      resolveLinks: options.resolveLinks ?? false,
      mayRead: (stream) => store.access.allows(call.caller, 'read', stream),
    });
    const frames = new EventFrames(options.uuidOption?.structured !== undefined);
    const sink: Sink = {
      call,
      send: (page) => call.sendFrames(frames.encode(page.map(deliver))),
      sendMessage: (message) => call.send(response.encode(message)),
    };
    await dispatch(store, options, sink);
    call.finish();
  });

async function dispatch(store: Store, options: ReadOptions, sink: Sink): Promise<void> {
  const subscribed = options.countOption === 'subscription';
  if (options.stream) {
    const stream = streamNameOf(options.stream.streamIdentifier);
    store.access.require(sink.call.caller, 'read', stream);
    if (subscribed) return subscribeToStream(store, stream, options.stream, sink);
    return readStream(store, stream, options, sink);
  }
  store.access.require(sink.call.caller, 'read', ALL);
  const filter = options.filter ? filterOf(options.filter) : undefined;
  if (subscribed) return subscribeToAll(store, { start: options.all ?? {}, filter, option: options.filter }, sink);
  return readAll(store, options, filter, sink);
}

const directionOf = ({ readDirection }: ReadOptions): Direction =>
  readDirection === 'Backwards' ? 'backwards' : 'forwards';

/** Up to `count` visible events; a page at a time. */
async function readStream(store: Store, stream: string, options: ReadOptions, sink: Sink): Promise<void> {
  const state = store.log.streams.get(stream);
  if (isTombstoned(state)) throw streamDeleted(stream);
  if (isAbsent(state)) {
    sink.sendMessage({ streamNotFound: { streamIdentifier: options.stream?.streamIdentifier } });
    return;
  }
  await sendStream(store, stream, options, sink);
}

async function sendStream({ log, reader }: Store, stream: string, options: ReadOptions, sink: Sink): Promise<void> {
  const direction = directionOf(options);
  const pages = new PageSize();
  let left = Number(options.count ?? 0);
  let from = streamStart(options.stream ?? {}, log.streams.get(stream).last, direction);
  while (left > 0 && !sink.call.over) {
    const limit = Math.min(left, pages.limit);
    const page = reader.readStream(log.streams.get(stream), from, direction, limit);
    const last = page.at(-1);
    sink.send(page);
    if (!last || page.length < limit) return;
    left -= page.length;
    from = last.revision + (direction === 'forwards' ? 1 : -1);
    if (from < 0) return;
    pages.learn(page);
    await breathe(sink.call);
  }
}

async function readAll(
  { log, reader }: Store,
  options: ReadOptions,
  filter: Filter | undefined,
  sink: Sink,
): Promise<void> {
  const direction = directionOf(options);
  const pages = new PageSize();
  let left = Number(options.count ?? 0);
  let beyond = allStart(options.all ?? {}, log.lastPosition, direction);
  while (left > 0 && !sink.call.over) {
    const limit = Math.min(left, pages.limit);
    const page: Stretch = filter
      ? reader.readFiltered(beyond, direction, filter, { limit, window: Number.MAX_SAFE_INTEGER })
      : reader.readAll(beyond, direction, limit);
    sink.send(page.events);
    if (page.end) return;
    left -= page.events.length;
    beyond = page.considered;
    pages.learn(page.events);
    await breathe(sink.call);
  }
}
