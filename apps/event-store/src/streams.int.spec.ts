import {
  AccessDeniedError,
  ANY,
  type AppendExpectedRevision,
  BACKWARDS,
  binaryEvent,
  DeadlineExceededError,
  END,
  EventStoreDBClient,
  excludeSystemEvents,
  jsonEvent,
  NO_STREAM,
  type ResolvedEvent,
  START,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  streamNameFilter,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { until } from '#testing';
import { many } from '../test/reading.js';
import { type EmbeddedEventStore, startEventStore } from './start.js';

let server: EmbeddedEventStore;
let client: EventStoreDBClient;
let names = 0;
const fresh = (prefix = 'stream'): string => `${prefix}-${++names}`;

/** The classic Append is chosen by the client for calls with credentials of their own. */
const classic = { credentials: { username: 'admin', password: 'changeit' } };
const WAYS = [
  ['BatchAppend', {}],
  ['Append', classic],
] as const;

beforeAll(async () => {
  server = await startEventStore();
  client = EventStoreDBClient.connectionString(server.connectionString);
});
afterAll(async () => {
  await client.dispose();
  await server.stop();
});

async function collect(events: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const all: ResolvedEvent[] = [];
  for await (const one of events) all.push(one);
  return all;
}
const revisions = (events: readonly ResolvedEvent[]) =>
  events.map(({ event, link }) => Number((link ?? event)?.revision));
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const link = (to: string) => binaryEvent({ type: '$>', data: Buffer.from(to) });

/** A stream with three events, of which it is then told what happened to it. */
const STATES = {
  missing: async () => fresh(),
  written: async () => {
    const stream = fresh();
    await client.appendToStream(stream, many(3));
    return stream;
  },
  deleted: async () => {
    const stream = await STATES.written();
    await client.deleteStream(stream);
    return stream;
  },
  tombstoned: async () => {
    const stream = await STATES.written();
    await client.tombstoneStream(stream);
    return stream;
  },
  recreated: async () => {
    const stream = await STATES.deleted();
    await client.appendToStream(stream, many(2));
    return stream;
  },
  truncated: async () => {
    const stream = await STATES.written();
    await client.setStreamMetadata(stream, { truncateBefore: 2 });
    return stream;
  },
} as const;
type State = keyof typeof STATES;

const WRONG = WrongExpectedVersionError;
const GONE = StreamDeletedError;

describe.each(WAYS)('%s expects', (_, how) => {
  it.each<[State, AppendExpectedRevision, bigint | typeof WRONG | typeof GONE]>([
    ['missing', ANY, 0n],
    ['missing', NO_STREAM, 0n],
    ['missing', STREAM_EXISTS, WRONG],
    ['missing', 0n, WRONG],
    ['written', ANY, 3n],
    ['written', NO_STREAM, WRONG],
    ['written', STREAM_EXISTS, 3n],
    ['written', 2n, 3n],
    ['written', 1n, WRONG],
    ['written', 3n, WRONG],
    ['written', 2n ** 62n, WRONG],
    ['deleted', ANY, 3n],
    ['deleted', NO_STREAM, 3n],
    ['deleted', STREAM_EXISTS, GONE],
    ['deleted', 2n, 3n],
    ['deleted', 1n, WRONG],
    ['tombstoned', ANY, GONE],
    ['tombstoned', NO_STREAM, GONE],
    ['tombstoned', STREAM_EXISTS, GONE],
    ['tombstoned', 2n, GONE],
    ['recreated', ANY, 5n],
    ['recreated', NO_STREAM, WRONG],
    ['recreated', STREAM_EXISTS, 5n],
    ['recreated', 4n, 5n],
    ['truncated', NO_STREAM, WRONG],
    ['truncated', STREAM_EXISTS, 3n],
  ])('of a %s stream %s', async (state, expectedRevision, outcome) => {
    const stream = await STATES[state]();
    const append = client.appendToStream(stream, many(1), { ...how, expectedRevision });
    if (typeof outcome === 'bigint') {
      expect(await append).toMatchObject({ success: true, nextExpectedRevision: outcome });
      const [newest] = await collect(
        client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 }),
      );
      expect(newest?.event?.revision).toBe(outcome);
      return;
    }
    const refused = await failure(append);
    expect(refused).toBeInstanceOf(outcome);
    expect(refused).toMatchObject({ streamName: stream });
    if (outcome === WRONG)
      expect(refused).toMatchObject({
        expectedVersion: expectedRevision,
        actualVersion: state === 'missing' ? NO_STREAM : state === 'recreated' ? 4n : 2n,
      });
  });
});

describe.each(WAYS)('%s', (_, how) => {
  it('takes an append of nothing', async () => {
    const stream = await STATES.written();
    expect(await client.appendToStream(stream, [], { ...how, expectedRevision: 2n })).toMatchObject({
      success: true,
      nextExpectedRevision: 2n,
    });
    expect(await failure(client.appendToStream(stream, [], { ...how, expectedRevision: 0n }))).toBeInstanceOf(WRONG);
    await client.appendToStream(fresh(), [], how);
  });

  it('keeps data and metadata of every kind as they were', async () => {
    const stream = fresh('$ällerlei/日本 ::');
    const bytes = Uint8Array.from({ length: 256 }, (_byte, n) => n);
    const events = [
      binaryEvent({ type: 'Binary', data: bytes, metadata: bytes }),
      binaryEvent({ type: '$system', data: new Uint8Array(0), metadata: { $correlationId: 'x', n: 1 } }),
      jsonEvent({ type: '-', data: [] as unknown as Record<string, never> }),
      jsonEvent({ type: 'x'.repeat(1000), data: { deep: [{ '': null }], '\u0000': '\ud83d\ude42' } as never }),
    ];
    await client.appendToStream(stream, events, how);
    const found = await collect(client.readStream(stream));
    expect(found.map(({ event }) => event?.id)).toEqual(events.map(({ id }) => id));
    expect(found.map(({ event }) => event?.type)).toEqual(events.map(({ type }) => type));
    expect(found.map(({ event }) => event?.isJson)).toEqual([false, false, true, true]);
    expect(Buffer.from(found[0]?.event?.data as Uint8Array)).toEqual(Buffer.from(bytes));
    expect(Buffer.from(found[0]?.event?.metadata as unknown as Uint8Array)).toEqual(Buffer.from(bytes));
    expect(found[1]?.event?.metadata).toEqual({ $correlationId: 'x', n: 1 });
    expect(found[2]?.event?.data).toEqual([]);
    expect(found[3]?.event?.data).toEqual({ deep: [{ '': null }], '\u0000': '\ud83d\ude42' });
  });

  it('takes exactly a mebibyte of data, and not one byte more', async () => {
    const sized = (size: number) => binaryEvent({ type: 'Sized', data: new Uint8Array(size) });
    await client.appendToStream(fresh(), [sized(1024 * 1024 - 7), sized(7)], how);
    expect(await failure(client.appendToStream(fresh(), [sized(1024 * 1024 - 6), sized(7)], how))).toMatchObject({
      type: 'maximum-append-size-exceeded',
      maxAppendSize: 1024 * 1024,
    });
  });

  it('refuses an event without a type, an id that is none and a stream without a name', async () => {
    const good = jsonEvent({ type: 'Good', data: {} });
    for (const event of [
      { ...good, type: '' },
      { ...good, id: 'no uuid' },
    ])
      expect(await failure(client.appendToStream(fresh(), event, how))).toBeInstanceOf(Error);
    expect(await failure(client.appendToStream('', good, how))).toBeInstanceOf(Error);
  });

  it('refuses to write $all and metadata of metadata', async () => {
    const event = jsonEvent({ type: 'Any', data: {} });
    for (const stream of ['$all', '$$$$x'])
      expect(await failure(client.appendToStream(stream, event, how))).toBeInstanceOf(AccessDeniedError);
  });

  it('records nothing when its deadline has passed', async () => {
    const stream = fresh();
    const late = await failure(client.appendToStream(stream, many(1), { ...how, deadline: -1 }));
    expect(late).toBeInstanceOf(DeadlineExceededError);
    expect(await failure(collect(client.readStream(stream)))).toBeInstanceOf(StreamNotFoundError);
  });
});

it('answers a wrong expectation with a result when the client does not want an error', async () => {
  const stream = await STATES.written();
  const lenient = EventStoreDBClient.connectionString(`${server.connectionString}&throwOnAppendFailure=false`);
  expect(await lenient.appendToStream(stream, many(1), { ...classic, expectedRevision: NO_STREAM })).toMatchObject({
    success: false,
    nextExpectedRevision: 2n,
  });
  await lenient.dispose();
});

describe('removing', () => {
  const removals = [
    ['deleteStream', (stream: string, options?: object) => client.deleteStream(stream, options)],
    ['tombstoneStream', (stream: string, options?: object) => client.tombstoneStream(stream, options)],
  ] as const;

  it.each(removals)('%s goes by the expected revision', async (name, remove) => {
    const table: [State, AppendExpectedRevision, boolean | typeof GONE][] = [
      ['missing', ANY, true],
      ['missing', NO_STREAM, true],
      ['missing', STREAM_EXISTS, false],
      ['missing', 0n, false],
      ['written', ANY, true],
      ['written', STREAM_EXISTS, true],
      ['written', 2n, true],
      ['written', NO_STREAM, false],
      ['written', 1n, false],
      ['tombstoned', ANY, GONE],
      ['tombstoned', STREAM_EXISTS, GONE],
      ['recreated', 4n, true],
    ];
    // The client's deleteStream cannot say stream_exists: it sends it as a number and fails.
    const sayable = table.filter(([, expected]) => name === 'tombstoneStream' || expected !== STREAM_EXISTS);
    for (const [state, expectedRevision, outcome] of sayable) {
      const stream = await STATES[state]();
      const attempt = remove(stream, { expectedRevision });
      if (outcome === true) expect((await attempt).position?.commit).toBeGreaterThan(0n);
      else {
        const refused = await failure(attempt);
        if (!(refused instanceof (outcome || WRONG)))
          throw new Error(`${state} ${expectedRevision}: ${String(refused)}`);
      }
      if (outcome !== true) continue;
      const read = await failure(collect(client.readStream(stream)));
      expect(read).toBeInstanceOf(name === 'deleteStream' ? StreamNotFoundError : StreamDeletedError);
    }
  });

  it('leaves a tombstone as the last event of $all, and ends the metadata as well', async () => {
    const stream = await STATES.tombstoned();
    const [last] = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }));
    expect(last?.event).toMatchObject({ type: '$streamDeleted', streamId: stream, revision: 2n ** 63n - 1n });
    expect(await failure(client.setStreamMetadata(stream, { maxCount: 1 }))).toBeInstanceOf(StreamDeletedError);
  });

  it('keeps the metadata of a deleted stream that is written again, with what is visible of it', async () => {
    const stream = await STATES.written();
    await client.setStreamMetadata(stream, { maxCount: 10, purpose: 'kept' });
    await client.deleteStream(stream);
    await client.appendToStream(stream, many(1));
    expect(revisions(await collect(client.readStream(stream)))).toEqual([3]);
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({
      maxCount: 10,
      purpose: 'kept',
      truncateBefore: 3,
    });
  });

  it('refuses $all and metadata of metadata', async () => {
    for (const [, remove] of removals)
      for (const stream of ['$all', '$$$$x']) expect(await failure(remove(stream))).toBeInstanceOf(AccessDeniedError);
  });
});

describe('metadata', () => {
  const all = {
    maxAge: 3600,
    maxCount: 7,
    truncateBefore: 1,
    cacheControl: 60,
    acl: { readRoles: ['a'], writeRoles: ['b'], deleteRoles: ['c'], metaReadRoles: ['d'], metaWriteRoles: ['e'] },
    custom: { nested: ['ü', 1, null] },
  };

  it('comes back whole, as the newest event of its own stream', async () => {
    const stream = await STATES.written();
    await client.setStreamMetadata(stream, { maxCount: 100 }, { expectedRevision: NO_STREAM });
    const wrong = client.setStreamMetadata(stream, all, { expectedRevision: NO_STREAM });
    expect(await failure(wrong)).toBeInstanceOf(WRONG);
    await client.setStreamMetadata(stream, all, { expectedRevision: 0n });
    expect(await client.getStreamMetadata(stream)).toMatchObject({ streamName: stream, metadata: all });
    const found = await collect(client.readStream(`$$${stream}`));
    expect(found.map(({ event }) => [event?.type, event?.revision])).toEqual([['$metadata', 1n]]);
  });

  it('is absent where none was set', async () => {
    expect(await client.getStreamMetadata(await STATES.written())).toEqual({ streamName: expect.any(String) });
    expect((await client.getStreamMetadata(await STATES.missing())).metadata).toBeUndefined();
  });

  it('can be set before the stream is written, which stream_exists takes for a stream', async () => {
    const stream = fresh();
    await client.setStreamMetadata(stream, { maxCount: 1 });
    expect(await failure(collect(client.readStream(stream)))).toBeInstanceOf(StreamNotFoundError);
    await client.appendToStream(stream, many(2), { expectedRevision: STREAM_EXISTS });
    expect(revisions(await collect(client.readStream(stream)))).toEqual([1]);
  });

  it('hides what is older than $maxAge, and says nothing but that the stream is empty', async () => {
    const stream = await STATES.written();
    await client.setStreamMetadata(stream, { maxAge: 3_600 });
    expect(revisions(await collect(client.readStream(stream)))).toEqual([0, 1, 2]);
    await client.setStreamMetadata(stream, { maxAge: 3 });
    await until(async () => (await collect(client.readStream(stream))).length === 0);
    expect(await client.appendToStream(stream, many(1))).toMatchObject({ nextExpectedRevision: 3n });
    expect(revisions(await collect(client.readStream(stream, { direction: BACKWARDS, fromRevision: END })))).toEqual([
      3,
    ]);
  });

  it('that is not JSON, or of the wrong kind, limits nothing', async () => {
    const stream = await STATES.written();
    await client.appendToStream(`$$${stream}`, binaryEvent({ type: '$metadata', data: Buffer.from('{{') }));
    expect(await collect(client.readStream(stream))).toHaveLength(3);
    await client.appendToStream(
      `$$${stream}`,
      jsonEvent({ type: '$metadata', data: { $maxCount: 'one', $tb: -1, $maxAge: null } as never }),
    );
    expect(await collect(client.readStream(stream))).toHaveLength(3);
  });
});

describe('reading', () => {
  it('a stream, takes every start, direction and limit', async () => {
    const stream = await STATES.truncated();
    await client.appendToStream(stream, many(3));
    const read = async (options: object) => revisions(await collect(client.readStream(stream, options)));
    expect(await read({ fromRevision: START })).toEqual([2, 3, 4, 5]);
    expect(await read({ fromRevision: 1n, maxCount: 2 })).toEqual([2, 3]);
    expect(await read({ fromRevision: END })).toEqual([]);
    expect(await read({ fromRevision: 2n ** 63n - 1n })).toEqual([]);
    expect(await read({ direction: BACKWARDS })).toEqual([]);
    expect(await read({ direction: BACKWARDS, fromRevision: 3n })).toEqual([3, 2]);
    expect(await read({ direction: BACKWARDS, fromRevision: 1n })).toEqual([]);
    expect(await read({ direction: BACKWARDS, fromRevision: 99n, maxCount: 1 })).toEqual([5]);
    expect(await read({ maxCount: Number.MAX_SAFE_INTEGER })).toEqual([2, 3, 4, 5]);
  });

  it('links, brings the link alone where there is nothing behind it', async () => {
    const [written, deleted, tombstoned] = [await STATES.written(), await STATES.deleted(), await STATES.tombstoned()];
    const stream = fresh('links');
    const targets = [`1@${written}`, `9@${written}`, `1@${deleted}`, `1@${tombstoned}`, `0@${fresh()}`, 'nonsense', ''];
    await client.appendToStream(stream, targets.map(link));
    const check = (found: readonly ResolvedEvent[]) => {
      expect(found.map(({ event }) => event?.streamId)).toEqual([written, ...Array(6).fill(undefined)]);
      expect(found.every((one) => one.link?.streamId === stream && one.link.type === '$>')).toBe(true);
    };
    check(await collect(client.readStream(stream, { resolveLinkTos: true })));
    const all = await collect(
      client.readAll({ resolveLinkTos: true, direction: BACKWARDS, fromPosition: END, maxCount: 7 }),
    );
    check(all.toReversed());
    const unresolved = await collect(client.readStream(stream));
    expect(unresolved.every((one) => one.event?.type === '$>' && !one.link)).toBe(true);
  });

  it('$all, takes every start, direction and limit', async () => {
    const stream = fresh();
    const first = await client.appendToStream(stream, many(1));
    const last = await client.appendToStream(stream, many(3));
    const read = async (options: object) => revisions(await collect(client.readAll(options)));
    expect(await read({ fromPosition: first.position })).toEqual([0, 1, 2, 3]);
    expect(await read({ fromPosition: first.position, maxCount: 2 })).toEqual([0, 1]);
    expect(await read({ fromPosition: END })).toEqual([]);
    expect(await read({ direction: BACKWARDS, fromPosition: END, maxCount: 4 })).toEqual([3, 2, 1, 0]);
    expect(await read({ direction: BACKWARDS, fromPosition: last.position, maxCount: 3 })).toEqual([2, 1, 0]);
    expect(await read({ direction: BACKWARDS, fromPosition: START })).toEqual([]);
    expect(await read({ maxCount: 1 })).toHaveLength(1);
  });

  it('a stream without a name is refused', async () => {
    expect(await failure(collect(client.readStream('')))).toBeInstanceOf(Error);
  });
});

describe('subscribing', () => {
  type Listener = (event: never) => void;
  type Events = {
    on(name: 'data', listener: (event: ResolvedEvent) => void): unknown;
    once: (name: never, listener: never) => unknown;
  };
  const once = (subscription: Events, name: string, listener: Listener) =>
    subscription.once(name as never, listener as never);
  const seen = (subscription: Events) => {
    const got: ResolvedEvent[] = [];
    subscription.on('data', (one) => got.push(one));
    const until = async (count: number) => {
      while (got.length < count) await new Promise<void>((resolve) => once(subscription, 'data', () => resolve()));
      return got;
    };
    return { got, until };
  };
  const event = (subscription: Events, name: string) =>
    new Promise<unknown>((resolve) => once(subscription, name, resolve));

  it.each([
    ['START', START, [0, 1, 2, 3]],
    ['a revision, which it leaves out', 1n, [2, 3]],
    ['END', END, [3]],
    ['a revision beyond the end', 3n, []],
  ] as const)('to a stream begins at %s', async (_, fromRevision, expected) => {
    const stream = await STATES.written();
    const subscription = client.subscribeToStream(stream, { fromRevision });
    const { until } = seen(subscription);
    await event(subscription, 'caughtUp');
    await client.appendToStream(stream, many(2));
    const wanted = [...expected, 4];
    expect(revisions(await until(wanted.length))).toEqual(wanted);
    await subscription.unsubscribe();
  });

  it('to a stream follows links', async () => {
    const target = await STATES.written();
    const stream = fresh('links');
    const subscription = client.subscribeToStream(stream, { resolveLinkTos: true });
    const { until } = seen(subscription);
    await client.appendToStream(stream, [link(`2@${target}`), link('0@nowhere')]);
    expect((await until(2)).map((one) => [one.event?.streamId, one.link?.streamId])).toEqual([
      [target, stream],
      [undefined, stream],
    ]);
    await subscription.unsubscribe();
  });

  it('to a stream goes on when the stream is deleted and written again', async () => {
    const stream = await STATES.written();
    const subscription = client.subscribeToStream(stream, { fromRevision: START });
    const { until } = seen(subscription);
    await until(3);
    await client.deleteStream(stream);
    await client.appendToStream(stream, many(2));
    expect(revisions(await until(5))).toEqual([0, 1, 2, 3, 4]);
    await subscription.unsubscribe();
  });

  it('to a stream ends with an error when the stream is ended, or was', async () => {
    const stream = await STATES.written();
    const open = client.subscribeToStream(stream);
    const ended = event(open, 'error');
    await event(open, 'caughtUp');
    await client.tombstoneStream(stream);
    expect(await ended).toBeInstanceOf(StreamDeletedError);
    const late = client.subscribeToStream(stream);
    expect(await event(late, 'error')).toBeInstanceOf(StreamDeletedError);
  });

  it('to $all begins after the position that is named, and catches up once', async () => {
    const first = await client.appendToStream(fresh(), many(1));
    const stream = fresh();
    await client.appendToStream(stream, many(2));
    const subscription = client.subscribeToAll({ fromPosition: first.position ?? START });
    let caughtUp = 0;
    subscription.on('caughtUp', () => {
      caughtUp += 1;
    });
    const { until } = seen(subscription);
    await event(subscription, 'caughtUp');
    await client.appendToStream(stream, many(2));
    expect((await until(4)).map((one) => one.event?.streamId)).toEqual(Array(4).fill(stream));
    expect(caughtUp).toBe(1);
    await subscription.unsubscribe();
  });

  it.each([
    ['excludeSystemEvents', () => excludeSystemEvents(), ['user', 'other']],
    ['stream prefix', (mark: string) => streamNameFilter({ prefixes: [`${mark}-user`, 'nothing'] }), ['user']],
    ['stream pattern', (mark: string) => streamNameFilter({ regex: `^${mark}-(user|other)$` }), ['user', 'other']],
    ['stream prefix of system streams', (mark: string) => streamNameFilter({ prefixes: [`$${mark}`] }), ['system']],
  ] as const)('to $all goes through a filter: %s', async (_, filter, expected) => {
    const mark = fresh('mark');
    const subscription = client.subscribeToAll({ fromPosition: END, filter: filter(mark) });
    const { until } = seen(subscription);
    await event(subscription, 'caughtUp');
    await client.appendToStream(`${mark}-user`, many(1, 'user'));
    await client.appendToStream(`$${mark}`, many(1, expected[0] === 'system' ? 'system' : '$system'));
    await client.appendToStream(`${mark}-other`, many(1, 'other'));
    await client.appendToStream(`${mark}-user`, many(1, 'user'));
    const wanted = expected[0] === 'system' ? ['system'] : [...expected, 'user'];
    expect((await until(wanted.length)).map((one) => one.event?.type)).toEqual(wanted);
    await subscription.unsubscribe();
  });

  it('to $all tells how far it came, once in each interval, before it catches up and after', async () => {
    const checkpoints: bigint[] = [];
    const start = await client.appendToStream(fresh(), many(1));
    await client.appendToStream(fresh(), many(200, 'Noise'));
    const subscription = client.subscribeToAll({
      fromPosition: start.position ?? START,
      filter: streamNameFilter({
        prefixes: ['nobody'],
        maxSearchWindow: 10,
        checkpointInterval: 2,
        checkpointReached: async (_subscription, { commit }) => void checkpoints.push(commit),
      }),
    });
    subscription.on('data', () => undefined);
    await event(subscription, 'caughtUp');
    const every20 = (count: number): bigint[] =>
      Array.from({ length: count }, (_, nth) => (start.position?.commit ?? 0n) + 20n * BigInt(nth + 1));
    await until(() => checkpoints.length === 10);
    expect(checkpoints).toEqual(every20(10));
    for (let n = 0; n < 20; n += 1) await client.appendToStream(fresh(), many(5, 'Noise'));
    await until(() => checkpoints.length === 15);
    expect(checkpoints).toEqual(every20(15));
    await subscription.unsubscribe();
  });
});
