import {
  persistentSubscriptionToAllSettingsFromDefaults as allSettings,
  END,
  EventStoreDBClient,
  eventTypeFilter,
  jsonEvent,
  type PersistentAction,
  PersistentSubscriptionDoesNotExistError,
  PersistentSubscriptionDroppedError,
  PersistentSubscriptionExistsError,
  PersistentSubscriptionFailedError,
  PersistentSubscriptionMaximumSubscribersReachedError,
  type PersistentSubscriptionToAllSettings,
  type PersistentSubscriptionToStreamSettings,
  START,
  streamNameFilter,
  persistentSubscriptionToStreamSettingsFromDefaults as streamSettings,
} from '@eventstore/db-client';
import { eventually, type Got, many, Reading } from '../test/reading.js';
import { type EmbeddedEventStore, startEventStore } from './start.js';

let server: EmbeddedEventStore;
let client: EventStoreDBClient;
let names = 0;
const fresh = (prefix = 'stream'): string => `${prefix}-${++names}`;
beforeAll(async () => {
  server = await startEventStore();
  client = EventStoreDBClient.connectionString(server.connectionString);
});
afterAll(async () => {
  await client.dispose();
  await server.stop();
});

const nothing = () => undefined;

async function group(settings: Partial<PersistentSubscriptionToStreamSettings> = {}, events = 0) {
  const stream = fresh();
  if (events > 0) await client.appendToStream(stream, many(events));
  await client.createPersistentSubscriptionToStream(stream, 'g', streamSettings({ startFrom: START, ...settings }));
  return stream;
}

const reading = (stream: string, settle?: (got: Got, reading: Reading) => unknown, bufferSize = 10) =>
  new Reading(client.subscribeToPersistentSubscriptionToStream(stream, 'g', { bufferSize }), settle);

const info = (stream: string) => client.getPersistentSubscriptionToStreamInfo(stream, 'g');

describe('a group of a stream', () => {
  it('gets history and what is written later, in order', async () => {
    const stream = await group({}, 20);
    const consumer = reading(stream);
    await client.appendToStream(stream, many(30));
    await consumer.until(50);
    expect(consumer.revisions).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(consumer.got.every(({ retryCount }) => retryCount === 0)).toBe(true);
    await consumer.subscription.unsubscribe();
  });

  it('begins at the revision named, or at what was the end when it was created', async () => {
    const stream = fresh();
    await client.appendToStream(stream, many(4));
    await client.createPersistentSubscriptionToStream(stream, 'from-2', streamSettings({ startFrom: 2n }));
    await client.createPersistentSubscriptionToStream(stream, 'end', streamSettings({ startFrom: END }));
    await client.appendToStream(stream, many(2));
    const two = new Reading(client.subscribeToPersistentSubscriptionToStream(stream, 'from-2'));
    const end = new Reading(client.subscribeToPersistentSubscriptionToStream(stream, 'end'));
    expect((await two.until(4)).revisions).toEqual([2, 3, 4, 5]);
    expect((await end.until(2)).revisions).toEqual([4, 5]);
    await Promise.all([two.subscription.unsubscribe(), end.subscription.unsubscribe()]);
  });

  it('waits for a stream that does not exist yet', async () => {
    const stream = await group();
    const consumer = await reading(stream).confirmed();
    await client.appendToStream(stream, many(1));
    expect((await consumer.until(1)).revisions).toEqual([0]);
    await consumer.subscription.unsubscribe();
  });

  it('reads on through more than its buffers hold', async () => {
    const stream = await group({ historyBufferSize: 5, liveBufferSize: 3, readBatchSize: 2 }, 300);
    const consumer = reading(stream);
    await consumer.until(300);
    await client.appendToStream(stream, many(100));
    await consumer.until(400);
    expect(consumer.revisions).toEqual(Array.from({ length: 400 }, (_, n) => n));
    await consumer.subscription.unsubscribe();
  });

  it('follows links when told to, and acknowledges them by the link', async () => {
    const target = fresh();
    const stream = fresh('links');
    await client.appendToStream(target, many(3));
    const link = (to: string) => ({
      ...jsonEvent({ type: '$>', data: {} }),
      contentType: 'application/octet-stream' as const,
      data: Buffer.from(to),
    });
    await client.appendToStream(stream, [link(`1@${target}`), link(`0@${fresh('gone')}`), link(`2@${target}`)]);
    await client.createPersistentSubscriptionToStream(
      stream,
      'g',
      streamSettings({ startFrom: START, resolveLinkTos: true, checkPointUpperBound: 1 }),
    );
    const consumer = await reading(stream).until(3);
    expect(consumer.got.map(({ event }) => event && [event.streamId, Number(event.revision)])).toEqual([
      [target, 1],
      undefined,
      [target, 2],
    ]);
    await eventually(
      () => info(stream),
      ({ stats }) => stats.lastCheckpointedEventRevision === 2n,
    );
    await consumer.subscription.unsubscribe();
  });

  it('brings names and payloads of every kind', async () => {
    const stream = fresh('어학/0️⃣/ü "::" %41');
    const groupName = 'ヽ༼ຈل͜ຈ༽ﾉ ::';
    await client.createPersistentSubscriptionToStream(stream, groupName, streamSettings({ startFrom: START }));
    const binary = { ...jsonEvent({ type: 'Grüße', data: {} }), contentType: 'application/octet-stream' as const };
    await client.appendToStream(stream, [{ ...binary, data: Buffer.from([0, 255]) }]);
    const consumer = new Reading(client.subscribeToPersistentSubscriptionToStream(stream, groupName));
    await consumer.until(1);
    expect(consumer.got[0]?.event).toMatchObject({ streamId: stream, type: 'Grüße', isJson: false });
    expect(Buffer.from((consumer.got[0]?.event?.data ?? []) as Uint8Array)).toEqual(Buffer.from([0, 255]));
    await consumer.subscription.unsubscribe();
    await client.deletePersistentSubscriptionToStream(stream, groupName);
    await expect(client.getPersistentSubscriptionToStreamInfo(stream, groupName)).rejects.toMatchObject({
      type: 'persistent-subscription-does-not-exist',
    });
  });
});

describe('a group of $all', () => {
  const create = (
    name: string,
    settings: Partial<PersistentSubscriptionToAllSettings>,
    filter?: Parameters<typeof client.createPersistentSubscriptionToAll>[2],
  ) => client.createPersistentSubscriptionToAll(name, allSettings(settings), filter);
  const consume = (name: string) => new Reading(client.subscribeToPersistentSubscriptionToAll(name));

  it('gets all events from a position on, which it includes', async () => {
    const { position } = await client.appendToStream(fresh(), many(1, 'First'));
    const name = fresh('all');
    await create(
      name,
      { startFrom: position ?? START },
      { filter: eventTypeFilter({ prefixes: ['First', 'Second'] }) },
    );
    await client.appendToStream(fresh(), many(1, 'Second'));
    const consumer = await consume(name).until(2);
    expect(consumer.got.map(({ event }) => event?.type)).toEqual(['First', 'Second']);
    await consumer.subscription.unsubscribe();
  });

  it.each([
    ['type, pattern', eventTypeFilter({ regex: '^Wanted' })],
    ['type, prefix', eventTypeFilter({ prefixes: ['Wanted'] })],
    ['stream, pattern', streamNameFilter({ regex: '^wanted-' })],
    ['stream, prefix', streamNameFilter({ prefixes: ['wanted-'] })],
  ])('goes through a filter (%s), which an update keeps', async (_, filter) => {
    const name = fresh('filtered');
    await create(name, { startFrom: END }, { filter });
    await client.updatePersistentSubscriptionToAll(name, allSettings({ startFrom: END, readBatchSize: 7 }));
    await client.appendToStream(fresh('noise'), many(50, 'Noise'));
    await client.appendToStream(fresh('wanted'), many(25, 'Wanted'));
    await client.appendToStream(fresh('noise'), many(50, 'Noise'));
    await client.appendToStream(fresh('wanted'), many(25, 'Wanted'));
    const consumer = await consume(name).until(50);
    expect(consumer.got.every(({ event }) => event?.type === 'Wanted')).toBe(true);
    await consumer.subscription.unsubscribe();
  });

  it('without a filter does not get the checkpoints of groups, so that idle groups stay idle', async () => {
    const name = fresh('quiet');
    await create(name, { startFrom: END, checkPointLowerBound: 1, checkPointUpperBound: 1, checkPointAfter: 1 });
    const consumer = await consume(name).confirmed();
    await client.appendToStream(fresh(), many(5, 'Loud'));
    await consumer.until(5);
    await eventually(
      () => client.getPersistentSubscriptionToAllInfo(name),
      ({ stats }) => stats.lastCheckpointedEventPosition !== undefined && stats.totalInFlightMessages === 0,
    );
    expect(consumer.got.filter(({ event }) => event?.streamId.endsWith('-checkpoint'))).toEqual([]);
    await consumer.subscription.unsubscribe();
  });

  it('is refused beyond the end, and with a pattern that is none', async () => {
    const beyond = { commit: 1_000_000_000n, prepare: 1_000_000_000n };
    await expect(create(fresh('beyond'), { startFrom: beyond })).rejects.toBeInstanceOf(
      PersistentSubscriptionFailedError,
    );
    await expect(create(fresh('bad'), {}, { filter: eventTypeFilter({ regex: '(' }) })).rejects.toMatchObject({
      code: 3,
    });
  });
});

describe('settling', () => {
  it.each([
    ['skip', 1],
    ['retry', 2],
  ] as const)('%s: the event is sent %i time(s)', async (action, times) => {
    const stream = await group({}, 20);
    const seen = new Set<string>();
    const consumer = reading(stream, (got, { subscription }) => {
      const id = got.event?.id ?? '';
      if (seen.has(id) || got.event?.revision === 20n) return subscription.ack(got);
      seen.add(id);
      return subscription.nack(action, 'a test', got);
    });
    await consumer.until(20 * times);
    await client.appendToStream(stream, many(1));
    await consumer.until(20 * times + 1);
    expect(consumer.got).toHaveLength(20 * times + 1);
    expect(consumer.got.filter(({ retryCount }) => retryCount === 1)).toHaveLength(20 * (times - 1));
    expect((await info(stream)).stats.parkedMessageCount).toBe(0n);
    await consumer.subscription.unsubscribe();
  });

  it('tells the consumer how often an event was sent before, and parks it after the last time', async () => {
    const stream = await group({ maxRetryCount: 3 }, 1);
    const consumer = reading(stream, (got, { subscription }) => subscription.nack('retry', 'again', got));
    await eventually(
      () => info(stream),
      ({ stats }) => stats.parkedMessageCount === 1n,
    );
    expect(consumer.got.map(({ retryCount }) => retryCount)).toEqual([0, 1, 2, 3]);
    await consumer.subscription.unsubscribe();
  });

  it('sends again what is not answered in time, and takes a late answer', async () => {
    const stream = await group({ messageTimeout: 20, maxRetryCount: 2 }, 1);
    const consumer = reading(stream, nothing);
    await eventually(
      () => info(stream),
      ({ stats }) => stats.parkedMessageCount === 1n,
    );
    expect(consumer.got.map(({ retryCount }) => retryCount)).toEqual([0, 1, 2]);
    await consumer.subscription.unsubscribe();
  });

  it('takes an answer for an event that waits to be sent again', async () => {
    const stream = await group({ messageTimeout: 20, checkPointUpperBound: 1 }, 1);
    const consumer = await reading(stream, nothing).until(1);
    await consumer.subscription.unsubscribe();
    await eventually(
      () => info(stream),
      ({ stats }) => stats.retryBufferCount === 1,
    );
    const other = reading(stream);
    await other.until(1);
    await eventually(
      () => info(stream),
      ({ stats }) => stats.lastCheckpointedEventRevision === 0n,
    );
    await other.subscription.unsubscribe();
  });

  it('ends a consumer that stops, and hands its events to others', async () => {
    const stream = await group({ checkPointUpperBound: 1 }, 3);
    const quitter = reading(stream, (got, { subscription }) => subscription.nack('stop', 'enough', got), 1);
    expect(await quitter.failed).toBeInstanceOf(PersistentSubscriptionDroppedError);
    const other = await reading(stream).until(3);
    expect(other.revisions.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    await other.subscription.unsubscribe();
  });

  it('ignores answers for what it never sent', async () => {
    const stream = await group({}, 2);
    const consumer = await reading(stream, nothing).until(2);
    const [first, second] = consumer.got as [Got, Got];
    const unknown = { ...first, event: { ...first.event, id: '00000000-0000-4000-8000-000000000000' } } as Got;
    for (const action of ['park', 'retry', 'skip'] as PersistentAction[])
      await consumer.subscription.nack(action, 'unknown', unknown);
    await consumer.subscription.ack(first, first, unknown);
    await consumer.subscription.ack(second);
    await eventually(
      () => info(stream),
      ({ stats }) => stats.totalItems === 2n && stats.parkedMessageCount === 0n,
    );
    await consumer.subscription.unsubscribe();
  });

  it('refuses malformed answers', async () => {
    const stream = await group({}, 1);
    const consumer = await reading(stream, (got, { subscription }) =>
      subscription.ack({ ...got, event: { ...got.event, id: 'no uuid' } } as Got),
    ).until(1);
    expect(await consumer.failed).toMatchObject({ code: 3 });
  });
});

describe('consumers', () => {
  it('have no more events in flight than their buffer holds', async () => {
    const stream = await group({}, 30);
    const consumer = await reading(stream, nothing, 7).until(7);
    const { stats, connections } = await info(stream);
    expect(stats.totalInFlightMessages).toBe(7);
    expect(connections[0]).toMatchObject({ availableSlots: 0, inFlightMessages: 7 });
    await consumer.subscription.ack(...consumer.got);
    await consumer.until(14);
    await consumer.subscription.unsubscribe();
  });

  it('share the events, each in turn (RoundRobin)', async () => {
    const stream = await group();
    const consumers = await Promise.all([1, 2, 3].map(() => reading(stream).confirmed()));
    for (let n = 0; n < 30; n += 1) await client.appendToStream(stream, many(1));
    await Promise.all(consumers.map((consumer) => consumer.until(10)));
    expect(consumers.flatMap(({ revisions }) => revisions).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, n) => n),
    );
    await Promise.all(consumers.map(({ subscription }) => subscription.unsubscribe()));
  });

  it('are used one after the other when the first is full (DispatchToSingle)', async () => {
    const stream = await group({ consumerStrategyName: 'DispatchToSingle' });
    const first = await reading(stream, nothing, 4).confirmed();
    const second = await reading(stream, nothing, 4).confirmed();
    await client.appendToStream(stream, many(6));
    await Promise.all([first.until(4), second.until(2)]);
    expect([first.revisions, second.revisions]).toEqual([
      [0, 1, 2, 3],
      [4, 5],
    ]);
    await Promise.all([first, second].map(({ subscription }) => subscription.unsubscribe()));
  });

  it('get all events of a stream each, as long as they stay (Pinned)', async () => {
    const name = fresh('pinned');
    await client.createPersistentSubscriptionToAll(
      name,
      allSettings({ startFrom: END, consumerStrategyName: 'Pinned' }),
      { filter: eventTypeFilter({ prefixes: [name] }) },
    );
    const consumers = await Promise.all(
      [1, 2, 3].map(() => new Reading(client.subscribeToPersistentSubscriptionToAll(name)).confirmed()),
    );
    const streams = Array.from({ length: 30 }, () => fresh('pin'));
    for (let n = 0; n < 4; n += 1)
      await Promise.all(streams.map((stream) => client.appendToStream(stream, many(1, name))));
    const all = () => consumers.flatMap(({ got }) => got);
    await Promise.race(
      consumers.map(async (one) => {
        while (all().length < 120) await one.until(one.got.length + 1);
      }),
    );
    const owners = consumers.map(({ got }) => new Set(got.map(({ event }) => event?.streamId)));
    expect(owners.reduce((sum, { size }) => sum + size, 0)).toBe(30);
    expect(owners.every(({ size }) => size > 0)).toBe(true);
    for (const { got } of consumers)
      for (const stream of streams) {
        const mine = got.filter(({ event }) => event?.streamId === stream).map(({ event }) => Number(event?.revision));
        expect(mine).toEqual(mine.length > 0 ? [0, 1, 2, 3] : []);
      }
    await Promise.all(consumers.map(({ subscription }) => subscription.unsubscribe()));
  });

  it('that go away leave what they had to the others, who learn that it was sent before', async () => {
    const stream = await group({}, 10);
    const gone = await reading(stream, nothing, 10).until(10);
    const other = await reading(stream).confirmed();
    await gone.subscription.unsubscribe();
    await other.until(10);
    expect(other.revisions.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(other.got.every(({ retryCount }) => retryCount === 1)).toBe(true);
    await other.subscription.unsubscribe();
  });

  it('that are slow do not hold up the others', async () => {
    const stream = await group({}, 100);
    const slow = await reading(stream, nothing, 2).until(2);
    const quick = await reading(stream).until(98);
    expect([...slow.revisions, ...quick.revisions].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
    await Promise.all([slow, quick].map(({ subscription }) => subscription.unsubscribe()));
  });

  it('are refused when there are as many as there may be, until one goes', async () => {
    const stream = await group({ maxSubscriberCount: 1 }, 1);
    const first = await reading(stream).confirmed();
    const refused = await reading(stream).failed;
    expect(refused).toBeInstanceOf(PersistentSubscriptionMaximumSubscribersReachedError);
    expect(refused).toMatchObject({ streamName: stream, groupName: 'g' });
    await first.subscription.unsubscribe();
    await eventually(
      () => info(stream),
      ({ connections }) => connections.length === 0,
    );
    const next = await reading(stream).confirmed();
    await next.subscription.unsubscribe();
  });

  it('must name a group that there is, and take at least one event', async () => {
    const error = await reading(fresh()).failed;
    expect(error).toBeInstanceOf(PersistentSubscriptionDoesNotExistError);
    const stream = await group();
    expect(await reading(stream, nothing, 0).failed).toMatchObject({ code: 3 });
  });
});

describe('a group that exists', () => {
  it('is not created twice', async () => {
    const stream = await group();
    const twice = client.createPersistentSubscriptionToStream(stream, 'g', streamSettings());
    await expect(twice).rejects.toBeInstanceOf(PersistentSubscriptionExistsError);
    await expect(twice).rejects.toMatchObject({ streamName: stream, groupName: 'g' });
  });

  it.each(['update', 'delete', 'restart'] as const)('drops its consumers on %s', async (change) => {
    const stream = await group({}, 1);
    const consumer = await reading(stream).until(1);
    if (change === 'update')
      await client.updatePersistentSubscriptionToStream(stream, 'g', streamSettings({ startFrom: START }));
    else if (change === 'delete') await client.deletePersistentSubscriptionToStream(stream, 'g');
    else await client.restartPersistentSubscriptionSubsystem();
    const dropped = await consumer.failed;
    expect(dropped).toBeInstanceOf(PersistentSubscriptionDroppedError);
    expect(dropped).toMatchObject({ streamName: stream, groupName: 'g' });
  });

  it('goes on where it was after an update and after a restart of the subsystem', async () => {
    const stream = await group({}, 10);
    const first = await reading(stream).until(10);
    await eventually(
      () => info(stream),
      ({ stats }) => stats.totalInFlightMessages === 0,
    );
    await client.updatePersistentSubscriptionToStream(
      stream,
      'g',
      streamSettings({ startFrom: START, maxRetryCount: 1 }),
    );
    await first.failed;
    await client.appendToStream(stream, many(1));
    const second = await reading(stream).until(1);
    await eventually(
      () => info(stream),
      ({ stats }) => stats.totalInFlightMessages === 0,
    );
    await client.restartPersistentSubscriptionSubsystem();
    await second.failed;
    await client.appendToStream(stream, many(1));
    const third = await reading(stream).until(1);
    expect([second.revisions, third.revisions]).toEqual([[10], [11]]);
    await third.subscription.unsubscribe();
  });

  it('leaves nothing behind when it is deleted: one of the same name begins anew', async () => {
    const stream = await group({ checkPointUpperBound: 1 }, 3);
    const first = await reading(stream, (got, { subscription }) => subscription.nack('park', 'no', got)).until(3);
    await eventually(
      () => info(stream),
      ({ stats }) => stats.parkedMessageCount === 3n,
    );
    await client.deletePersistentSubscriptionToStream(stream, 'g');
    await first.failed;
    await client.createPersistentSubscriptionToStream(stream, 'g', streamSettings({ startFrom: START }));
    const { stats } = await info(stream);
    expect(stats.parkedMessageCount).toBe(0n);
    expect(stats.lastCheckpointedEventRevision).toBeUndefined();
    const again = await reading(stream).until(3);
    expect(again.revisions).toEqual([0, 1, 2]);
    await again.subscription.unsubscribe();
  });

  it('is needed for everything but creating it', async () => {
    const stream = fresh();
    const settings = streamSettings();
    const missing = [
      client.updatePersistentSubscriptionToStream(stream, 'g', settings),
      client.updatePersistentSubscriptionToAll(stream, allSettings()),
      client.deletePersistentSubscriptionToStream(stream, 'g'),
      client.deletePersistentSubscriptionToAll(stream),
      client.getPersistentSubscriptionToStreamInfo(stream, 'g'),
      client.getPersistentSubscriptionToAllInfo(stream),
      client.replayParkedMessagesToStream(stream, 'g'),
      client.replayParkedMessagesToAll(stream),
      client.listPersistentSubscriptionsToStream(stream),
    ];
    for (const answer of await Promise.allSettled(missing))
      expect(answer).toMatchObject({ reason: { type: 'persistent-subscription-does-not-exist' } });
  });

  it('is refused a negative setting and a name of nothing', async () => {
    const create = (settings: object, name = 'g') =>
      client.createPersistentSubscriptionToStream(fresh(), name, streamSettings(settings));
    await expect(create({ readBatchSize: -1 })).rejects.toMatchObject({ code: 3 });
    await expect(create({ messageTimeout: -1 })).rejects.toMatchObject({ code: 3 });
    await expect(create({}, '')).rejects.toMatchObject({ code: 3 });
  });
});

describe('a configuration that cannot be read', () => {
  it('stops persistent subscriptions, not streams, until it is deleted and the subsystem restarted', async () => {
    const other = await startEventStore();
    const its = EventStoreDBClient.connectionString(other.connectionString);
    const config = '$persistentSubscriptionConfig';
    await its.createPersistentSubscriptionToStream('s', 'g', streamSettings());
    await its.appendToStream(config, many(1));
    await expect(its.restartPersistentSubscriptionSubsystem()).rejects.toThrow(/delete that stream/);
    await expect(its.listAllPersistentSubscriptions()).rejects.toThrow(/does not say which/);
    await its.deleteStream(config);
    await its.restartPersistentSubscriptionSubsystem();
    expect(await its.listAllPersistentSubscriptions()).toEqual([]);
    await its.createPersistentSubscriptionToStream('s', 'g', streamSettings());
    await its.dispose();
    await other.stop();
  });
});

describe('what is told about groups', () => {
  const settings = streamSettings({
    startFrom: 123n,
    resolveLinkTos: true,
    extraStatistics: true,
    messageTimeout: 1234,
    maxRetryCount: 5,
    checkPointAfter: 2345,
    checkPointLowerBound: 12,
    checkPointUpperBound: 34,
    maxSubscriberCount: 200,
    liveBufferSize: 56,
    readBatchSize: 7,
    historyBufferSize: 89,
    consumerStrategyName: 'Pinned',
  });

  it('are the settings as they were given, for every start', async () => {
    for (const startFrom of [START, END, 123n] as const) {
      const stream = await group({ ...settings, startFrom });
      expect((await info(stream)).settings).toEqual({ ...settings, startFrom });
      await client.updatePersistentSubscriptionToStream(stream, 'g', streamSettings({ startFrom }));
      expect((await info(stream)).settings).toEqual(streamSettings({ startFrom }));
    }
    for (const startFrom of [START, END, { commit: 3n, prepare: 3n }] as const) {
      const name = fresh('told');
      await client.createPersistentSubscriptionToAll(name, { ...settings, startFrom });
      expect((await client.getPersistentSubscriptionToAllInfo(name)).settings).toEqual({ ...settings, startFrom });
    }
  });

  it('is what a group has done, and who is connected', async () => {
    const stream = await group({ extraStatistics: true, checkPointUpperBound: 1 });
    expect((await info(stream)).stats.lastKnownEventRevision).toBeUndefined();
    expect(await info(stream)).toMatchObject({ eventSource: stream, groupName: 'g', connections: [], status: 'Live' });
    await client.appendToStream(stream, many(50));
    expect((await info(stream)).status).toBe('Behind');
    const consumer = await reading(stream).until(50);
    const told = await eventually(
      () => info(stream),
      ({ stats }) => stats.lastCheckpointedEventRevision === 49n,
    );
    expect(told.status).toBe('Live');
    expect(told.stats).toMatchObject({ lastKnownEventRevision: 49n, totalItems: 50n, totalInFlightMessages: 0 });
    const [connection] = told.connections;
    expect(connection).toMatchObject({
      username: 'admin',
      connectionName: client.connectionName,
      totalItems: 50n,
      availableSlots: 10,
      inFlightMessages: 0,
    });
    expect(connection?.from).toMatch(/^127\.0\.0\.1:\d+$/);
    const figures = [...(connection?.extraStatistics ?? [])];
    expect(figures.map(([key]) => key).toSorted()).toEqual(
      ['mean', 'median', 'fastest', 'highest', '90%', '95%', '99%', '99.5%', '99.9%']
        .concat([1, 2, 3, 4, 5].map((n) => `quintile ${n}`))
        .toSorted(),
    );
    await consumer.subscription.unsubscribe();
  });

  it('are lists: of a stream, of $all, of everything', async () => {
    const stream = await group({}, 1);
    await client.createPersistentSubscriptionToStream(stream, 'second', streamSettings());
    const name = fresh('listed');
    await client.createPersistentSubscriptionToAll(name, allSettings());
    const namesOf = (list: { eventSource: string; groupName: string }[]) =>
      list.map(({ eventSource, groupName }) => `${eventSource} ${groupName}`);
    const ofStream = [`${stream} g`, `${stream} second`];
    expect(namesOf(await client.listPersistentSubscriptionsToStream(stream))).toEqual(ofStream);
    expect(namesOf(await client.listPersistentSubscriptionsToAll())).toContain(`$all ${name}`);
    expect(namesOf(await client.listAllPersistentSubscriptions())).toEqual(
      expect.arrayContaining([...ofStream, `$all ${name}`]),
    );
  });
});
