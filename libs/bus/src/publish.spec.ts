import { ErrorCode, NatsError } from 'nats';
import type { Connection } from './connection.js';
import { Publisher } from './publish.js';
import type { Streams } from './streams.js';

const WRONG_LAST_SEQUENCE = Object.assign(new NatsError('wrong last sequence: 7', ErrorCode.ApiError), {
  api_error: { code: 400, err_code: 10_071, description: 'wrong last sequence: 7' },
});

/** A publisher on a server that answers as the test says, with a clock that the test moves. */
function onServer() {
  const world = { now: 0, outcome: undefined as Error | undefined, found: () => undefined as void };
  const publish = () =>
    world.outcome ? Promise.reject(world.outcome) : Promise.resolve({ stream: 's', seq: 1, duplicate: false });
  const connection = {
    nats: { info: { max_payload: 1_000 }, jetstream: () => ({ publish }) },
    assertConnected: () => undefined,
    reply: <T>(request: Promise<T>) => request,
    onFound: (listener: () => void) => void (world.found = listener),
  };
  const streams = { ensure: () => Promise.resolve() };
  const clock = { monotonic: () => world.now };
  const publisher = new Publisher(connection as unknown as Connection, streams as unknown as Streams, clock);
  const tries = async (atSecond: number, outcome?: Error): Promise<void> => {
    Object.assign(world, { now: atSecond * 1_000, outcome });
    await publisher.publish('baton.work.a', 1).catch(() => undefined);
  };
  const isStoring = (atSecond: number): boolean => {
    world.now = atSecond * 1_000;
    try {
      publisher.assertStoring();
      return true;
    } catch {
      return false;
    }
  };
  return { publisher, tries, isStoring, isFoundAgain: () => world.found() };
}
const refused = new NatsError('503', ErrorCode.NoResponders);

describe('a bus that stores nothing of what it is given', () => {
  it('does not serve after five seconds, and says why', async () => {
    const { publisher, tries, isStoring } = onServer();
    await tries(0, refused);
    await tries(4, refused);
    expect(isStoring(4)).toBe(true);
    await tries(6, refused);
    expect(isStoring(6)).toBe(false);
    expect(() => publisher.assertStoring()).toThrow(/stored nothing for 6 s: Publishing to baton.work.a/);
  });

  it('is not one that has refused a single message, however long ago', async () => {
    const { tries, isStoring } = onServer();
    await tries(0, refused);
    expect(isStoring(30)).toBe(true);
  });

  it('serves once it has stored something, or has come back as another server', async () => {
    const { tries, isStoring, isFoundAgain } = onServer();
    await tries(0, refused);
    await tries(12, refused);
    await tries(13);
    expect(isStoring(13)).toBe(true);
    await tries(20, refused);
    await tries(40, refused);
    expect(isStoring(40)).toBe(false);
    isFoundAgain();
    expect(isStoring(40)).toBe(true);
  });

  it('is not judged by what was tried long ago, nor by who was only slower than another', async () => {
    const { tries, isStoring } = onServer();
    await tries(0, refused);
    await tries(20, refused);
    await tries(45, WRONG_LAST_SEQUENCE);
    expect(isStoring(79)).toBe(false);
    expect(isStoring(81)).toBe(true);
    await tries(100, WRONG_LAST_SEQUENCE);
    await tries(120, WRONG_LAST_SEQUENCE);
    expect(isStoring(120)).toBe(true);
  });
});
