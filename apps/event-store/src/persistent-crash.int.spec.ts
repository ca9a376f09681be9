import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  persistentSubscriptionToAllSettingsFromDefaults as allSettings,
  EventStoreDBClient,
  eventTypeFilter,
  START,
  persistentSubscriptionToStreamSettingsFromDefaults as streamSettings,
} from '@eventstore/db-client';
import { eventually, type Got, many, Reading } from '../test/reading.js';
import { startServerProcess } from '../test/server-process.js';

const EVENTS = 600;
const CHECKPOINT_EVERY = 20;
const BUFFER = 10;
const ROUNDS = 3;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'event-store-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A server on the folder, and a client that is gone with it. */
async function serving<T>(
  work: (client: EventStoreDBClient, server: Awaited<ReturnType<typeof startServerProcess>>) => Promise<T>,
): Promise<T> {
  const server = await startServerProcess(folder);
  const client = EventStoreDBClient.connectionString(server.connectionString);
  try {
    return await work(client, server);
  } finally {
    await client.dispose();
    if (server.child.exitCode === null && server.child.signalCode === null) await server.terminate();
  }
}

const revisionOf = ({ event }: Got) => Number(event?.revision);

describe('a server that is killed while three consumers work', () => {
  it('loses no event, and repeats no more than what no checkpoint had passed', async () => {
    const stream = 'crash';
    await serving(async (client) => {
      for (let n = 0; n < EVENTS; n += 100) await client.appendToStream(stream, many(100));
      await client.createPersistentSubscriptionToStream(
        stream,
        'g',
        streamSettings({
          startFrom: START,
          checkPointUpperBound: CHECKPOINT_EVERY,
          checkPointLowerBound: 1,
          checkPointAfter: 20,
        }),
      );
    });
    const settled = new Set<number>();
    const parked = new Set<number>();
    for (let round = 1; round <= ROUNDS; round += 1)
      await serving(async (client, server) => {
        const enough = (EVENTS * round) / (ROUNDS + 1);
        const consumers = Array.from(
          { length: 3 },
          () =>
            new Reading(
              client.subscribeToPersistentSubscriptionToStream(stream, 'g', { bufferSize: BUFFER }),
              async (got, { subscription }) => {
                const revision = revisionOf(got);
                if (revision % 50 === 7) {
                  parked.add(revision);
                  await subscription.nack('park', 'later', got).catch(() => undefined);
                } else await subscription.ack(got).catch(() => undefined);
                settled.add(revision);
              },
            ),
        );
        await Promise.any(
          consumers.map(async (consumer) => {
            while (settled.size < enough) await consumer.until(consumer.got.length + 1);
          }),
        );
        await server.kill();
        await Promise.all(consumers.map(({ failed }) => failed));
      });

    await serving(async (client) => {
      const { stats } = await client.getPersistentSubscriptionToStreamInfo(stream, 'g');
      const checkpoint = Number(stats.lastCheckpointedEventRevision);
      for (let revision = 0; revision <= checkpoint; revision += 1) expect(settled).toContain(revision);
      const repeated: number[] = [];
      const consumer = new Reading(
        client.subscribeToPersistentSubscriptionToStream(stream, 'g', { bufferSize: BUFFER }),
        (got, { subscription }) => {
          if (settled.has(revisionOf(got))) repeated.push(revisionOf(got));
          settled.add(revisionOf(got));
          return subscription.ack(got);
        },
      );
      await eventually(
        () => client.getPersistentSubscriptionToStreamInfo(stream, 'g'),
        (told) => Number(told.stats.lastCheckpointedEventRevision) === EVENTS - 1,
      );
      expect([...settled].toSorted((a, b) => a - b)).toEqual(Array.from({ length: EVENTS }, (_, n) => n));
      expect(repeated.every((revision) => revision > checkpoint)).toBe(true);
      await consumer.subscription.unsubscribe();

      await client.replayParkedMessagesToStream(stream, 'g');
      const replayed = new Reading(client.subscribeToPersistentSubscriptionToStream(stream, 'g'));
      const missing = () => [...parked].filter((one) => one <= checkpoint && !replayed.revisions.includes(one));
      while (missing().length > 0) await replayed.until(replayed.got.length + 1);
      expect(replayed.revisions.every((revision) => revision % 50 === 7)).toBe(true);
      await replayed.subscription.unsubscribe();
    });

    await serving(async (client) => {
      const consumer = new Reading(client.subscribeToPersistentSubscriptionToStream(stream, 'g'));
      await client.appendToStream(stream, many(1));
      expect((await consumer.until(1)).revisions).toEqual([EVENTS]);
      await consumer.subscription.unsubscribe();
    });
  });
});

describe('groups after a kill', () => {
  it('are all there, with their settings and filters, and begin where the end was when they were created', async () => {
    const settings = streamSettings({ consumerStrategyName: 'Pinned', readBatchSize: 3, startFrom: 'end' });
    await serving(async (client, server) => {
      await client.appendToStream('kept', many(2));
      await Promise.all(
        Array.from({ length: 50 }, (_, n) => client.createPersistentSubscriptionToStream('kept', `g${n}`, settings)),
      );
      await client.createPersistentSubscriptionToAll('filtered', allSettings({ startFrom: START }), {
        filter: eventTypeFilter({ regex: '^Wanted$' }),
      });
      await client.appendToStream('kept', [...many(1), ...many(1, 'Wanted')]);
      await server.kill();
    });
    await serving(async (client) => {
      const list = await client.listPersistentSubscriptionsToStream('kept');
      expect(list.map(({ groupName }) => groupName).toSorted()).toEqual(
        Array.from({ length: 50 }, (_, n) => `g${n}`).toSorted(),
      );
      expect(list.every((group) => JSON.stringify(group.settings) === JSON.stringify(list[0]?.settings))).toBe(true);
      expect(list[0]?.settings).toEqual(settings);
      const consumers = list.map(
        ({ groupName }) => new Reading(client.subscribeToPersistentSubscriptionToStream('kept', groupName)),
      );
      await Promise.all(consumers.map((consumer) => consumer.until(2)));
      for (const { revisions } of consumers) expect(revisions).toEqual([2, 3]);
      const filtered = await new Reading(client.subscribeToPersistentSubscriptionToAll('filtered')).until(1);
      expect(filtered.got[0]?.event?.type).toBe('Wanted');
      await Promise.all([...consumers, filtered].map(({ subscription }) => subscription.unsubscribe()));
    });
  });
});
