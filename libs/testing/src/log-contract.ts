import { type Delivery, type EventLog, type NewEvent, type StoredEvent, type Subscription, WrongRevision } from '#log';
import { idOf, newId } from '#platform';

export const aNewEvent = (type = 'Noted', data: unknown = {}): NewEvent => ({
  id: newId(),
  type,
  data,
  metadata: { by: 'test' },
});
const some = (count: number, type = 'Noted'): readonly NewEvent[] =>
  Array.from({ length: count }, (_, n) => aNewEvent(type, { n }));

const all = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
};

/** Takes events from a subscription until `count` have come, then closes it. */
async function take(subscription: Subscription<Delivery>, count: number): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const delivery of subscription) {
    if (delivery.kind === 'event') events.push(delivery.event);
    if (events.length >= count) break;
  }
  await subscription.close();
  return events;
}

/** Resolves with how many events came before the first word that everything was delivered. */
async function untilCaughtUp(subscription: Subscription<Delivery>): Promise<number> {
  let before = 0;
  for await (const delivery of subscription) {
    if (delivery.kind === 'caught-up') break;
    if (delivery.kind === 'event') before += 1;
  }
  await subscription.close();
  return before;
}

/** What every event log promises, whatever it is made of. Each test has a stream and a type of its own. */
export function describeEventLog(name: string, open: () => EventLog): void {
  describe(`${name}: appending and reading`, () => {
    const fresh = () => ({ log: open(), stream: `run-${newId()}`, type: `T${newId().replaceAll('-', '')}` });

    it('reads back what was appended, in order, from any revision on', async () => {
      const { log, stream } = fresh();
      const events = some(5);
      expect(await log.append(stream, events, 'absent')).toMatchObject({ revision: 4 });
      const read = await all(log.read(stream));
      expect(read.map(({ id, revision, data, metadata }) => ({ id, revision, data, metadata }))).toEqual(
        events.map(({ id, data, metadata }, revision) => ({ id, revision, data, metadata })),
      );
      expect((await all(log.read(stream, 2, 2))).map(({ revision }) => revision)).toEqual([2, 3]);
      expect(await all(log.read(stream, 5))).toEqual([]);
    });

    it('finds nothing in a stream that does not exist', async () => {
      const { log, stream } = fresh();
      expect(await all(log.read(stream))).toEqual([]);
      expect(await log.last(stream)).toBeUndefined();
    });

    it('refuses an append at a wrong revision and writes none of it', async () => {
      const { log, stream } = fresh();
      await log.append(stream, some(2), 'absent');
      for (const expected of ['absent', 0, 2] as const) {
        await expect(log.append(stream, some(2), expected)).rejects.toMatchObject({
          name: 'WrongRevision',
          actual: 1,
          expected,
        });
      }
      await expect(log.append(`run-${newId()}`, some(1), 0)).rejects.toBeInstanceOf(WrongRevision);
      expect(await all(log.read(stream))).toHaveLength(2);
    });

    it('appends at the expected revision and at any', async () => {
      const { log, stream } = fresh();
      await log.append(stream, some(1), 'absent');
      expect(await log.append(stream, some(2), 0)).toMatchObject({ revision: 2 });
      expect(await log.append(stream, some(1), 'any')).toMatchObject({ revision: 3 });
      expect(await log.last(stream)).toMatchObject({ revision: 3 });
    });

    it('writes an append once that is repeated with the same ids, and answers as the first time', async () => {
      const { log, stream } = fresh();
      const first = some(2);
      const answer = await log.append(stream, first, 'absent');
      expect(await log.append(stream, first, 'absent')).toMatchObject({ revision: answer.revision });
      const second = some(2);
      await log.append(stream, second, 1);
      await log.append(stream, some(1), 3);
      expect(await log.append(stream, second, 1)).toMatchObject({ revision: 3 });
      expect(await all(log.read(stream))).toHaveLength(5);
    });

    it('lets one of many writers win each revision', async () => {
      const { log, stream } = fresh();
      await log.append(stream, some(1), 'absent');
      const ends = await Promise.allSettled(Array.from({ length: 12 }, () => log.append(stream, some(1), 0)));
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await all(log.read(stream))).toHaveLength(2);
    });

    it('keeps only the newest events of a stream when told to', async () => {
      const { log, stream } = fresh();
      await log.append(stream, some(5), 'absent');
      await log.limit(stream, { newest: 2 });
      expect((await all(log.read(stream))).map(({ revision }) => revision)).toEqual([3, 4]);
      expect(await log.append(stream, some(1), 4)).toMatchObject({ revision: 5 });
      expect((await all(log.read(stream))).map(({ revision }) => revision)).toEqual([4, 5]);
      expect((await take(log.follow(stream, -1), 2)).map(({ revision }) => revision)).toEqual([4, 5]);
    });

    it('removes a stream at its last revision, and lets it be written anew', async () => {
      const { log, stream, type } = fresh();
      await log.append(stream, some(3, type), 'absent');
      await expect(log.remove(stream, 1)).rejects.toMatchObject({ name: 'WrongRevision' });
      expect(await all(log.read(stream))).toHaveLength(3);
      await log.remove(stream, 2);
      expect(await all(log.read(stream))).toEqual([]);
      expect(await log.last(stream)).toBeUndefined();
      const again = some(2, type);
      await log.append(stream, again, 'absent');
      expect((await all(log.read(stream))).map(({ id }) => id)).toEqual(again.map(({ id }) => id));
      await log.append(stream, some(1, type), (await log.last(stream))?.revision ?? 0);
      expect(await all(log.read(stream))).toHaveLength(3);
    });

    it('refuses an append at the revision of a stream that was removed, or takes it as the first of a new one', async () => {
      const { log, stream } = fresh();
      await log.append(stream, some(3), 'absent');
      await log.remove(stream, 2);
      await log.append(stream, some(1), 2).catch(() => undefined);
      expect((await all(log.read(stream))).length).toBeLessThan(2);
    });

    it('reads all streams besides the types that begin with some letters', async () => {
      const { log, stream, type } = fresh();
      await log.append(stream, [...some(1, `Q${type}`), ...some(1, type), ...some(1, `Qu${type}`)], 'absent');
      const read = [];
      for await (const event of log.readBesides(`Q${type}`)) if (event.stream === stream) read.push(event.revision);
      expect(read).toEqual([1, 2]);
    });

    it('keeps texts of every script and of size', async () => {
      const { log, stream } = fresh();
      const data = { text: 'Ünïcode \ud83d\ude00 \u0000 "quoted"\n', long: 'x'.repeat(500_000), deep: [{ a: null }] };
      await log.append(stream, [aNewEvent('Noted', data)], 'absent');
      expect((await log.last(stream))?.data).toEqual(data);
    });
  });

  describe(`${name}: following`, () => {
    const fresh = () => ({ log: open(), stream: `run-${newId()}`, type: `T${newId().replaceAll('-', '')}` });

    it('delivers history after a revision and then what comes, without gap or repeat', async () => {
      const { log, stream } = fresh();
      await log.append(stream, some(3), 'absent');
      const following = take(log.follow(stream, 0), 5);
      await log.append(stream, some(3), 2);
      expect((await following).map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5]);
    });

    it('follows a stream that does not exist yet', async () => {
      const { log, stream } = fresh();
      const following = take(log.follow(stream, -1), 2);
      await log.append(stream, some(2), 'absent');
      expect((await following).map(({ revision }) => revision)).toEqual([0, 1]);
    });

    it('leaves no gap while many write', async () => {
      const { log, stream } = fresh();
      const following = take(log.follow(stream, -1), 120);
      const write = async (): Promise<void> => {
        for (let n = 0; n < 20; n += 1) await log.append(stream, some(1), 'any');
      };
      await Promise.all(Array.from({ length: 6 }, write));
      expect((await following).map(({ revision }) => revision)).toEqual(Array.from({ length: 120 }, (_, n) => n));
    });

    it('says when the history has been delivered', async () => {
      const { log, stream, type } = fresh();
      await log.append(stream, some(3, type), 'absent');
      expect(await untilCaughtUp(log.follow(stream, -1))).toBe(3);
      expect(await untilCaughtUp(log.followAll([type], undefined))).toBe(3);
    });

    it('follows the given types over all streams, and after a position', async () => {
      const { log, type } = fresh();
      const streams = [0, 1, 2].map((n) => `run-${idOf(`${type}${n}`)}`);
      for (const stream of streams) await log.append(stream, [...some(1, type), ...some(1)], 'absent');
      const everything = await take(log.followAll([type], undefined), 3);
      expect(everything.map(({ stream }) => stream)).toEqual(streams);
      // An event has one place in the log, however it is read.
      const firsts = await Promise.all(streams.map(async (stream) => (await all(log.read(stream, 0, 1)))[0]?.position));
      expect(everything.map(({ position }) => position)).toEqual(firsts);
      const following = take(log.followAll([type], everything[1]?.position), 2);
      await log.append(streams[0] ?? '', some(1, type), 1);
      expect((await following).map(({ stream }) => stream)).toEqual([streams[2], streams[0]]);
    });

    it('reads the given types of all streams to the end, and after a position', async () => {
      const { log, stream, type } = fresh();
      await log.append(stream, [...some(2, type), ...some(2), ...some(1, type)], 'absent');
      const read = await all(log.readAll([type]));
      expect(read.map(({ revision }) => revision)).toEqual([0, 1, 4]);
      expect((await all(log.readAll([type], read[0]?.position))).map(({ revision }) => revision)).toEqual([1, 4]);
    });

    it('knows its end', async () => {
      const { log, stream } = fresh();
      const { position } = await log.append(stream, some(1), 'absent');
      expect(await log.end()).toBe(position);
      expect((await log.last(stream))?.position).toBe(position);
      await log.ping();
    });

    it('ends the iteration of a subscription that is closed', async () => {
      const { log, stream } = fresh();
      const subscription = log.follow(stream, -1);
      const iterated = all(subscription);
      await subscription.close();
      expect((await iterated).filter(({ kind }) => kind === 'event')).toEqual([]);
    });
  });
}
