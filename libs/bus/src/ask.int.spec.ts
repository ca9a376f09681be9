import { z } from 'zod';
import { BatonError, silentLogger } from '#platform';
import { Gate, startNats, type TestNats, until } from '#testing';
import { Bus } from './index.js';

let nats: TestNats;
let bus: Bus;
let other: Bus;

beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());
beforeEach(async () => {
  bus = await Bus.connect({ url: nats.url, name: 'asks', logger: silentLogger });
  other = await Bus.connect({ url: nats.url, name: 'answers', logger: silentLogger });
});
afterEach(async () => {
  await bus.close();
  await other.close();
});

class Fenced extends BatonError {
  readonly code = 'fenced';
  readonly remedy = 'stand-down';
}

const within = { timeoutMs: 2_000 };
const ready = () => other.health().check();

describe('asking', () => {
  it('brings back the answer of the one who is there', async () => {
    other.answer('ask.double', z.object({ n: z.number() }), async ({ n }) => ({ twice: 2 * n }));
    await ready();
    expect(await bus.ask('ask.double', { n: 4 }, z.object({ twice: z.number() }), within)).toEqual({ twice: 8 });
  });

  it('brings back everybody’s answers within the time, without those that cannot be read', async () => {
    const third = await Bus.connect({ url: nats.url, name: 'third', logger: silentLogger });
    other.answer('ask.all', z.unknown(), async () => ({ n: 1 }));
    third.answer('ask.all', z.unknown(), async () => ({ n: 2 }));
    bus.answer('ask.all', z.unknown(), async () => ({ other: true }));
    await Promise.all([ready(), third.health().check(), bus.health().check()]);
    const heard = await until(async () => {
      const all = await bus.askAll('ask.all', {}, z.object({ n: z.number() }), { forMs: 500 });
      return all.length > 1 ? all : undefined;
    });
    expect(heard.map(({ answer }) => answer.n).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(await bus.askAll('ask.nobody', {}, z.unknown(), { forMs: 50 })).toEqual([]);
    await third.close();
  });

  it('tells nobody there from nobody answering in time', async () => {
    await expect(bus.ask('ask.nobody', {}, z.unknown(), within)).rejects.toMatchObject({ code: 'no-responders' });
    const gate = new Gate();
    other.answer('ask.slow', z.unknown(), () => gate.opened);
    await ready();
    await expect(bus.ask('ask.slow', {}, z.unknown(), { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'answer-timed-out',
    });
    gate.open();
  });

  it('brings back a problem with its code, sentence and remedy', async () => {
    other.answer('ask.fenced', z.unknown(), async () => {
      throw new Fenced('Segment 3 has taken over.');
    });
    other.answer('ask.broken', z.unknown(), async () => {
      throw new TypeError('a bug');
    });
    await ready();
    await expect(bus.ask('ask.fenced', {}, z.unknown(), within)).rejects.toMatchObject({
      code: 'fenced',
      remedy: 'stand-down',
      message: 'Segment 3 has taken over.',
    });
    await expect(bus.ask('ask.broken', {}, z.unknown(), within)).rejects.toMatchObject({
      code: 'internal',
      remedy: 'retry',
    });
  });

  it('refuses a question and an answer that break their schemas', async () => {
    other.answer('ask.strict', z.object({ n: z.number() }), async ({ n }) => n);
    await ready();
    await expect(bus.ask('ask.strict', { n: 'four' }, z.number(), within)).rejects.toMatchObject({
      code: 'unreadable-message',
      remedy: 'give-up',
    });
    await expect(bus.ask('ask.strict', { n: 4 }, z.string(), within)).rejects.toMatchObject({
      code: 'unreadable-message',
    });
  });

  it('shares the questions among those in one queue', async () => {
    other.answer('ask.shared', z.unknown(), async () => 'one', { queue: 'q' });
    bus.answer('ask.shared', z.unknown(), async () => 'one', { queue: 'q' });
    await ready();
    await bus.health().check();
    expect(await bus.ask('ask.shared', {}, z.string(), within)).toBe('one');
  });

  it('sends away what is too much at once', async () => {
    const gate = new Gate();
    other.answer('ask.busy', z.unknown(), () => gate.opened.then(() => 'done'), { atOnce: 1 });
    await ready();
    const first = bus.ask('ask.busy', {}, z.string(), within);
    await expect(bus.ask('ask.busy', {}, z.string(), within)).rejects.toMatchObject({ code: 'unavailable' });
    gate.open();
    expect(await first).toBe('done');
  });

  it('is answered before the one who answers closes', async () => {
    const gate = new Gate();
    let asked = false;
    other.answer('ask.last', z.unknown(), async () => {
      asked = true;
      await gate.opened;
      return 'still here';
    });
    await ready();
    const asking = bus.ask('ask.last', {}, z.string(), within);
    await until(() => asked);
    const closing = other.close();
    gate.open();
    await closing;
    expect(await asking).toBe('still here');
  });
});

describe('telling', () => {
  it('reaches those who listen, and what cannot be read is counted', async () => {
    const heard: [number, string][] = [];
    const listening = other.listen('tell.*', z.number(), (n, subject) => void heard.push([n, subject]));
    await ready();
    bus.emit('tell.a', 1);
    bus.emit('tell.b', 'no number');
    bus.emit('tell.c', 3);
    await until(() => heard.length === 2);
    expect(heard).toEqual([
      [1, 'tell.a'],
      [3, 'tell.c'],
    ]);
    expect(listening.unreadable()).toBe(1);
    listening.stop();
  });
});
