import {
  persistentSubscriptionToAllSettingsFromDefaults as allSettings,
  BACKWARDS,
  END,
  EventStoreDBClient,
  eventTypeFilter,
  jsonEvent,
  START,
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

const park = (got: Got, { subscription }: Reading) => subscription.nack('park', 'not now', got);
const consume = (stream: string, settle?: (got: Got, reading: Reading) => unknown) =>
  new Reading(client.subscribeToPersistentSubscriptionToStream(stream, 'g'), settle);
const info = (stream: string) => client.getPersistentSubscriptionToStreamInfo(stream, 'g');
const parkedIn = (stream: string, count: number) =>
  eventually(
    () => info(stream),
    ({ stats }) => stats.parkedMessageCount === BigInt(count),
  );

/** A group all of whose events are parked, and no consumer. */
async function parked(count: number) {
  const stream = fresh();
  await client.appendToStream(stream, many(count));
  await client.createPersistentSubscriptionToStream(stream, 'g', streamSettings({ startFrom: START }));
  const consumer = consume(stream, park);
  await parkedIn(stream, count);
  await consumer.subscription.unsubscribe();
  await eventually(
    () => info(stream),
    ({ connections }) => connections.length === 0,
  );
  return stream;
}

async function linksIn(stream: string): Promise<{ data: string; metadata: unknown; type: string }[]> {
  const links: { data: string; metadata: unknown; type: string }[] = [];
  for await (const { event } of client.readStream(`$persistentsubscription-${stream}::g-parked`))
    links.push({
      data: Buffer.from(event?.data as Uint8Array).toString(),
      metadata: event?.metadata,
      type: event?.type ?? '',
    });
  return links;
}

describe('parked events', () => {
  it('are links in a stream of their own, with the reason', async () => {
    const stream = await parked(3);
    expect(await linksIn(stream)).toEqual(
      [0, 1, 2].map((n) => ({
        type: '$>',
        data: `${n}@${stream}`,
        metadata: { added: expect.any(String), reason: 'not now', subscriptionEventNumber: n },
      })),
    );
  });

  it('are sent again on demand, as they were at first', async () => {
    const stream = await parked(20);
    const consumer = consume(stream);
    await client.replayParkedMessagesToStream(stream, 'g');
    await consumer.until(20);
    expect(consumer.revisions).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(
      consumer.got.every(({ link, event, retryCount }) => !link && event?.streamId === stream && !retryCount),
    ).toBe(true);
    await expect(
      eventually(
        () => linksIn(stream),
        (links) => links.length === 0,
      ),
    ).resolves.toEqual([]);
    await consumer.subscription.unsubscribe();
  });

  it('are sent again up to the revision that is named', async () => {
    const stream = await parked(10);
    const consumer = consume(stream);
    await client.replayParkedMessagesToStream(stream, 'g', { stopAt: 4 });
    await consumer.until(4);
    await parkedIn(stream, 6);
    await client.appendToStream(stream, many(1));
    await consumer.until(5);
    expect(consumer.revisions).toEqual([0, 1, 2, 3, 10]);
    await client.replayParkedMessagesToStream(stream, 'g', { stopAt: 100 });
    await consumer.until(11);
    expect(consumer.revisions.slice(5)).toEqual([4, 5, 6, 7, 8, 9]);
    await consumer.subscription.unsubscribe();
  });

  it('wait for a consumer when they are replayed while there is none, and are parked until it has settled them', async () => {
    const stream = await parked(5);
    await client.replayParkedMessagesToStream(stream, 'g');
    await client.replayParkedMessagesToStream(stream, 'g');
    const undecided = await consume(stream, () => undefined).until(5);
    expect((await info(stream)).status).toContain('ReplayingParkedMessages');
    expect(await linksIn(stream)).toHaveLength(5);
    await client.restartPersistentSubscriptionSubsystem();
    await undecided.failed;
    await parkedIn(stream, 5);
    await client.replayParkedMessagesToStream(stream, 'g');
    const consumer = await consume(stream).until(5);
    await eventually(
      () => linksIn(stream).catch(() => []),
      (links) => links.length === 0,
    );
    await consumer.subscription.unsubscribe();
  });

  it('can be parked again, after those that were parked meanwhile', async () => {
    const stream = await parked(3);
    let parks = 0;
    const consumer = consume(stream, (got, reading) => {
      parks += 1;
      return parks > 3 ? reading.subscription.ack(got) : park(got, reading);
    });
    await client.replayParkedMessagesToStream(stream, 'g');
    await consumer.until(3);
    await parkedIn(stream, 3);
    await client.replayParkedMessagesToStream(stream, 'g');
    await consumer.until(6);
    expect(consumer.revisions).toEqual([0, 1, 2, 0, 1, 2]);
    await parkedIn(stream, 0);
    await consumer.subscription.unsubscribe();
  });

  it('that are gone from their stream are passed over', async () => {
    const stream = await parked(5);
    await client.setStreamMetadata(stream, { truncateBefore: 3 });
    await client.replayParkedMessagesToStream(stream, 'g');
    const consumer = await consume(stream).until(2);
    expect(consumer.revisions).toEqual([3, 4]);
    await parkedIn(stream, 0);
    await consumer.subscription.unsubscribe();
  });

  it('can be thrown away by deleting their stream', async () => {
    const stream = await parked(3);
    await client.deleteStream(`$persistentsubscription-${stream}::g-parked`);
    expect((await info(stream)).stats.parkedMessageCount).toBe(0n);
    await client.replayParkedMessagesToStream(stream, 'g');
    await client.appendToStream(stream, many(1));
    const consumer = await consume(stream, park).until(1);
    expect(consumer.revisions).toEqual([3]);
    await parkedIn(stream, 1);
    await consumer.subscription.unsubscribe();
  });

  it('are not lost when they cannot be parked: they are sent again', async () => {
    const stream = fresh();
    await client.createPersistentSubscriptionToStream(stream, 'g', streamSettings({ startFrom: START }));
    await client.tombstoneStream(`$persistentsubscription-${stream}::g-parked`);
    await client.appendToStream(stream, many(1));
    const consumer = await consume(stream, park).until(2);
    expect(consumer.revisions.slice(0, 2)).toEqual([0, 0]);
    await consumer.subscription.unsubscribe();
  });

  it('of $all come back too, and links as links', async () => {
    const target = fresh();
    const name = fresh('group');
    await client.createPersistentSubscriptionToAll(
      name,
      allSettings({ startFrom: END, resolveLinkTos: true, maxRetryCount: 0 }),
      { filter: eventTypeFilter({ prefixes: ['Target', '$>'] }) },
    );
    await client.appendToStream(target, many(1, 'Target'));
    await client.appendToStream(fresh('links'), {
      ...jsonEvent({ type: '$>', data: {} }),
      contentType: 'application/octet-stream',
      data: Buffer.from(`0@${target}`),
    });
    const first = await new Reading(client.subscribeToPersistentSubscriptionToAll(name), (got, { subscription }) =>
      subscription.nack('retry', 'never again', got),
    ).until(2);
    await first.subscription.unsubscribe();
    const parkedCount = async () => (await client.getPersistentSubscriptionToAllInfo(name)).stats.parkedMessageCount;
    await eventually(parkedCount, (count) => count === 2n);
    await client.replayParkedMessagesToAll(name);
    const second = await new Reading(client.subscribeToPersistentSubscriptionToAll(name)).until(2);
    const shape = ({ got }: Reading) => got.map(({ link, event }) => [link?.streamId, link?.id, event?.id]);
    expect(shape(second)).toEqual(shape(first));
    await eventually(parkedCount, (count) => count === 0n);
    await second.subscription.unsubscribe();
  });
});

describe('checkpoints', () => {
  it('are events of a stream of their own, of which two are kept', async () => {
    const stream = fresh();
    await client.createPersistentSubscriptionToStream(
      stream,
      'g',
      streamSettings({ startFrom: START, checkPointUpperBound: 1 }),
    );
    await client.appendToStream(stream, many(5));
    const consumer = await consume(stream).until(5);
    await eventually(
      () => info(stream),
      ({ stats }) => stats.lastCheckpointedEventRevision === 4n,
    );
    const checkpoints = `$persistentsubscription-${stream}::g-checkpoint`;
    const read = client.readStream(checkpoints, { direction: BACKWARDS, fromRevision: END });
    const found: unknown[] = [];
    for await (const { event } of read) found.push([event?.type, event?.data]);
    expect(found[0]).toEqual(['$SubscriptionCheckpoint', '4']);
    expect(found.length).toBeLessThanOrEqual(2);
    await consumer.subscription.unsubscribe();
  });

  it('are written in time, but not for fewer events than the lower bound', async () => {
    const stream = fresh();
    const settings = {
      startFrom: START as typeof START,
      checkPointAfter: 10,
      checkPointLowerBound: 3,
      checkPointUpperBound: 1000,
    };
    await client.createPersistentSubscriptionToStream(stream, 'g', streamSettings(settings));
    await client.appendToStream(stream, many(2));
    const consumer = await consume(stream).until(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await info(stream)).stats.lastCheckpointedEventRevision).toBeUndefined();
    await client.appendToStream(stream, many(1));
    await eventually(
      () => info(stream),
      ({ stats }) => stats.lastCheckpointedEventRevision === 2n,
    );
    await consumer.subscription.unsubscribe();
  });

  it('do not pass an event that is not settled', async () => {
    const stream = fresh();
    await client.createPersistentSubscriptionToStream(
      stream,
      'g',
      streamSettings({ startFrom: START, checkPointUpperBound: 1 }),
    );
    await client.appendToStream(stream, many(5));
    const consumer = await consume(stream, () => undefined).until(5);
    await consumer.subscription.ack(...consumer.got.filter((_, n) => n !== 2));
    const told = await eventually(
      () => info(stream),
      ({ stats }) => stats.totalItems === 4n && stats.lastCheckpointedEventRevision !== undefined,
    );
    expect(told.stats.lastCheckpointedEventRevision).toBe(1n);
    await consumer.subscription.ack(consumer.got[2] as Got);
    await eventually(
      () => info(stream),
      ({ stats }) => stats.lastCheckpointedEventRevision === 4n,
    );
    await consumer.subscription.unsubscribe();
  });
});
