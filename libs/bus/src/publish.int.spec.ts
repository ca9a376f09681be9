import { silentLogger } from '#platform';
import { startNats, type TestNats } from '#testing';
import { Bus, WORK_STREAM } from './index.js';

let nats: TestNats;
let bus: Bus;

beforeEach(async () => {
  nats = await startNats({ config: 'max_payload: 4096' });
  bus = await Bus.connect({ url: nats.url, name: 'test', logger: silentLogger });
});
afterEach(async () => {
  await bus.close();
  await nats.stop();
});

describe('publishing', () => {
  it('stores a message id once and says so the second time', async () => {
    const first = await bus.publish('baton.work.a.b', { n: 1 }, { messageId: 'one' });
    const second = await bus.publish('baton.work.a.b', { n: 1 }, { messageId: 'one' });
    expect(first).toEqual({ stream: WORK_STREAM, sequence: 1, duplicate: false });
    expect(second).toEqual({ stream: WORK_STREAM, sequence: 1, duplicate: true });
    expect(await bus.publish('baton.work.a.b', {}, { messageId: 'two' })).toMatchObject({ sequence: 2 });
  });

  it('stores nothing when the stream has moved past the expected sequence', async () => {
    await bus.publish('baton.work.a.b', 'first', { expectedLastSequence: 0 });
    await expect(bus.publish('baton.work.a.b', 'late', { expectedLastSequence: 0 })).rejects.toMatchObject({
      code: 'wrong-last-sequence',
      remedy: 'stand-down',
      actual: 1,
    });
    await bus.publish('baton.work.a.b', 'second', { expectedLastSequence: 1 });
    expect(await bus.lastMessage(WORK_STREAM)).toMatchObject({ sequence: 2, body: 'second' });
  });

  it('lets one of several win who expect the same sequence', async () => {
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map((n) => bus.publish('baton.work.a.b', n, { expectedLastSequence: 0 })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('gives back headers and body of the last message, and undefined for an empty stream', async () => {
    expect(await bus.lastMessage(WORK_STREAM)).toBeUndefined();
    expect(await bus.lastMessage('NO_SUCH_STREAM')).toBeUndefined();
    await bus.publish('baton.work.a.b', { n: 1 }, { headers: { 'Baton-Position': '12/13', Odd: 'a\r\nb' } });
    expect(await bus.lastMessage(WORK_STREAM)).toMatchObject({
      sequence: 1,
      subject: 'baton.work.a.b',
      headers: { 'Baton-Position': '12/13', Odd: 'a b' },
      body: { n: 1 },
    });
  });

  it('refuses what is larger than the server takes, with what to do', async () => {
    await expect(bus.publish('baton.work.a.b', 'x'.repeat(5_000))).rejects.toMatchObject({
      code: 'message-too-large',
      remedy: 'give-up',
      message: expect.stringContaining('blob store'),
    });
  });

  it('says that no stream takes a subject', async () => {
    await expect(bus.publish('nowhere.at.all', 1)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('connecting', () => {
  it('refuses an address that is none', async () => {
    await expect(Bus.connect({ url: 'nowhere', name: 'x', logger: silentLogger })).rejects.toMatchObject({
      code: 'misconfigured',
    });
  });

  it('waits for a server that is not there yet', async () => {
    await nats.kill();
    const connecting = Bus.connect({ url: nats.url, name: 'early', logger: silentLogger });
    await nats.restart();
    const early = await connecting;
    expect(early.isConnected()).toBe(true);
    await early.close();
  });

  it('stops waiting when it is told to', async () => {
    await nats.kill();
    const stopping = new AbortController();
    const connecting = Bus.connect({ url: nats.url, name: 'early', logger: silentLogger, signal: stopping.signal });
    stopping.abort();
    await expect(connecting).rejects.toThrow('aborted');
  });
});
