import { sha256 } from '#platform';
import { aNewEvent } from '#testing';
import { Blobs, createMemoryLog } from './index.js';

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

  it('are stored once, also by writers at the same time', async () => {
    const log = createMemoryLog();
    const content = bytesOf(1_300_000);
    const [ref] = await Promise.all([1, 2, 3].map(() => new Blobs(log).put(content, 'text/plain')));
    const end = await log.end();
    await new Blobs(log).put(content, 'text/plain');
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

  it('are refused when they are damaged or missing', async () => {
    const log = createMemoryLog();
    const digest = sha256('right');
    const base64 = Buffer.from('wrong').toString('base64');
    await log.append(`blob-${digest}`, [aNewEvent('BlobChunkStored', { base64 })], 'absent');
    await expect(new Blobs(log).get(digest)).rejects.toMatchObject({ code: 'unreadable' });
    await expect(new Blobs(log).get(sha256('missing'))).rejects.toMatchObject({ code: 'unreadable' });
  });
});
