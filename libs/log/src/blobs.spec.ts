import { sha256 } from '#platform';
import { aNewEvent } from '#testing';
import { Blobs, createMemoryLog, type EventLog } from './index.js';

const bytesOf = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_, n) => (n * 31) % 251));

describe('blobs', () => {
  it.each([0, 1, 600_000, 600_001, 2_000_000])('come back whole: %d bytes', async (size) => {
    const blobs = new Blobs(createMemoryLog());
    const content = bytesOf(size);
    const ref = await blobs.put(content, 'text/plain');
    expect(ref).toEqual({ digest: sha256(content), bytes: size, mediaType: 'text/plain' });
    expect(await blobs.has(ref.digest)).toBe(true);
    expect((await blobs.get(ref.digest)).equals(content)).toBe(true);
  });

  it('come piece by piece, a few chunks in memory, and not to their end when they are not what they are called', async () => {
    const log = createMemoryLog();
    const content = bytesOf(6_000_000);
    const { digest } = await new Blobs(log).put(content, 'text/plain');
    const read: number[] = [];
    const counting: EventLog = new Proxy(log, {
      get: (target, name: keyof EventLog) =>
        name === 'read'
          ? (stream: string, from?: number, max = Number.POSITIVE_INFINITY) => {
              read.push(max);
              return target.read(stream, from, max);
            }
          : target[name].bind(target),
    });
    const sizes: number[] = [];
    for await (const piece of new Blobs(counting).whole(digest)) sizes.push(piece.byteLength);
    expect(sizes).toEqual(Array(10).fill(600_000));
    expect(Math.max(...read)).toBeLessThanOrEqual(4);
    read.length = 0;
    const pieces: Buffer[] = [];
    for await (const piece of new Blobs(counting).part(digest, { first: 5_399_999, last: 5_400_000 }))
      pieces.push(piece);
    expect(Buffer.concat(pieces).equals(content.subarray(5_399_999, 5_400_001))).toBe(true);
    expect(read).toHaveLength(2);

    const other = createMemoryLog();
    const name = `blob-${digest}`;
    for await (const { type, data } of log.read(name)) {
      const isSecond = (await other.last(name))?.revision === 1;
      const wrong = { base64: Buffer.from('other').toString('base64') };
      await other.append(name, [{ ...aNewEvent(type), data: isSecond ? wrong : data }], 'any');
    }
    const came: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const piece of new Blobs(other).whole(digest)) came.push(piece.byteLength);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'unreadable' });
    expect(came).toHaveLength(9);
  });

  it('are stored once, also by writers at the same time', async () => {
    const log = createMemoryLog();
    const content = bytesOf(1_300_000);
    const [ref] = await Promise.all([1, 2, 3].map(() => new Blobs(log, { now: () => 0 }).put(content, 'text/plain')));
    const end = await log.end();
    await new Blobs(log, { now: () => 0 }).put(content, 'text/plain');
    expect(await log.end()).toBe(end);
    expect((await new Blobs(log).get(ref?.digest ?? '')).equals(content)).toBe(true);
  });

  it('are finished by the next writer when the first one died half-way', async () => {
    const whole = createMemoryLog();
    const content = bytesOf(1_300_000);
    const { digest } = await new Blobs(whole).put(content, 'text/plain');
    const half = createMemoryLog();
    for await (const { id, type, data } of whole.read(`blob-${digest}`, 0, 2)) {
      await half.append(`blob-${digest}`, [{ id, type, data, metadata: {} }], 'any');
    }
    expect(await new Blobs(half).has(digest)).toBe(false);
    await expect(new Blobs(half).get(digest)).rejects.toMatchObject({ code: 'unreadable' });
    await new Blobs(half).put(content, 'text/plain');
    expect((await new Blobs(half).get(digest)).equals(content)).toBe(true);
  });

  it('stay where they were when they are put again soon, and are renewed when that is long ago', async () => {
    const clock = { now: () => 0 };
    const log = createMemoryLog(() => clock.now());
    const blobs = new Blobs(log, clock);
    const { digest } = await blobs.put(bytesOf(700_000), 'text/plain');
    const before = await log.end();
    expect(await blobs.renew(digest)).toBe(true);
    expect(await log.end()).toBe(before);
    clock.now = () => 86_400_000;
    await Promise.all([blobs.renew(digest), blobs.put(bytesOf(700_000), 'text/plain')]);
    expect((await log.last(`blob-${digest}`))?.created).toBe(86_400_000);
    expect((await blobs.get(digest)).equals(bytesOf(700_000))).toBe(true);
    expect(await blobs.renew('0'.repeat(64))).toBe(false);
  });

  it.each([5, 1_300_000])(
    'are stored anew when they are removed at any moment of being put again: %d bytes',
    async (size) => {
      const content = bytesOf(size);
      for (let moment = 0; moment < 12; moment += 1) {
        const clock = { now: () => 0 };
        const log = createMemoryLog(() => clock.now());
        const { digest } = await new Blobs(log, clock).put(content, 'text/plain');
        const stream = `blob-${digest}`;
        const old = (await log.last(stream))?.revision ?? 0;
        clock.now = () => 86_400_000;
        let asked = 0;
        const remove = async (): Promise<void> => {
          if ((asked += 1) === moment) await log.remove(stream, old).catch(() => undefined);
        };
        const between = new Proxy(log, {
          get: (target, name: keyof EventLog) => {
            if (name === 'append')
              return (...to: Parameters<EventLog['append']>) => remove().then(() => log.append(...to));
            if (name === 'last') return (of: string) => remove().then(() => log.last(of));
            return target[name].bind(target);
          },
        });
        const blobs = new Blobs(between, clock);
        expect(await Promise.all([blobs.put(content, 'text/plain'), blobs.put(content, 'text/plain')])).toHaveLength(2);
        expect(await blobs.has(digest)).toBe(true);
        expect((await blobs.get(digest)).equals(content)).toBe(true);
      }
    },
  );

  it('are not there when nothing but a renewal is left of them', async () => {
    const clock = { now: () => 0 };
    const log = createMemoryLog(() => clock.now());
    const blobs = new Blobs(log, clock);
    const { digest } = await blobs.put(bytesOf(5), 'text/plain');
    await log.remove(`blob-${digest}`, 2);
    await log.append(`blob-${digest}`, [aNewEvent('BlobRenewed', {})], 'any');
    expect(await blobs.has(digest)).toBe(false);
    expect(await blobs.renew(digest)).toBe(false);
    await blobs.put(bytesOf(5), 'text/plain');
    expect((await blobs.get(digest)).equals(bytesOf(5))).toBe(true);
  });

  it('are refused when they are damaged or missing', async () => {
    const log = createMemoryLog();
    const digest = sha256('right');
    const base64 = Buffer.from('wrong').toString('base64');
    await log.append(`blob-${digest}`, [aNewEvent('BlobChunkStored', { base64 })], 'absent');
    await expect(new Blobs(log).get(digest)).rejects.toMatchObject({ code: 'unreadable' });
    await expect(new Blobs(log).get(sha256('missing'))).rejects.toMatchObject({ code: 'unreadable' });
  });
});
