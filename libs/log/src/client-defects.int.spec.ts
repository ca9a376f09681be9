import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { aNewEvent, type EmbeddedEventStore, startEventStore, until } from '#testing';
import { Blobs, connectLog, type EventLog, type StoredEvent } from './index.js';

/** The wire between the client and the store, which can be frozen, made to swallow answers, and cut. */
class Wire {
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private answers: 'pass' | 'swallow' | 'hold' = 'pass';
  private readonly held: (() => void)[] = [];
  swallowed = 0;
  opened = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (near: Socket) => this.join(near));
  }

  static async to(target: number): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server, target);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return wire;
  }

  get url(): string {
    return `esdb://127.0.0.1:${(this.server.address() as AddressInfo).port}?tls=false`;
  }

  private join(near: Socket): void {
    this.opened += 1;
    const far = connect(this.target, '127.0.0.1');
    const pair = [near, far] as const;
    this.pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.pairs.delete(pair);
        for (const one of pair) one.destroy();
      });
    }
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => {
      if (this.answers === 'pass') near.write(bytes);
      else if (this.answers === 'hold') this.held.push(() => near.write(bytes));
      else this.swallowed += bytes.length;
    });
  }

  swallowAnswers(): void {
    this.answers = 'swallow';
  }

  holdAnswers(): void {
    this.answers = 'hold';
  }

  get holding(): boolean {
    return this.held.length > 0;
  }

  releaseAnswers(): void {
    this.answers = 'pass';
    for (const send of this.held.splice(0)) send();
  }

  cut(): void {
    for (const [near] of this.pairs) near.destroy();
    this.answers = 'pass';
  }

  close(): void {
    this.server.close();
    this.cut();
  }
}

let store: EmbeddedEventStore;
let wire: Wire;
let log: EventLog;
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

beforeEach(async () => {
  store = await startEventStore();
  wire = await Wire.to(store.port);
  log = connectLog(wire.url, { timeoutMs: 500 });
  unhandled.length = 0;
  process.on('unhandledRejection', onUnhandled);
});
afterEach(async () => {
  await log.close();
  wire.close();
  await store.stop();
  process.off('unhandledRejection', onUnhandled);
  if (unhandled.length > 0) throw new Error('A rejection was left unhandled.', { cause: unhandled[0] });
});

const all = async (source: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> => {
  const events: StoredEvent[] = [];
  for await (const event of source) events.push(event);
  return events;
};
const UNAVAILABLE = { code: 'unavailable', remedy: 'retry' };

describe('L1: one client per process and URL', () => {
  it('is shared by all logs, and goes on until the last of them is closed', async () => {
    const other = connectLog(wire.url);
    await Promise.all([log, other].map((one) => one.append('run-1', [aNewEvent()], 'any')));
    expect(wire.opened).toBe(1);
    await other.close();
    await other.close();
    expect(await log.append('run-1', [aNewEvent()], 1)).toMatchObject({ revision: 2 });
  });

  it('suffers from the loss of another store without losing or repeating an append', async () => {
    const otherStore = await startEventStore();
    const otherWire = await Wire.to(otherStore.port);
    const other = connectLog(otherWire.url, { timeoutMs: 500 });
    await Promise.all([log, other].map((one) => one.append('run-1', [aNewEvent()], 'absent')));
    wire.holdAnswers();
    otherWire.swallowAnswers();
    const lost = other.append('run-1', [aNewEvent()], 'any').catch(() => undefined);
    const appended = log.append('run-2', [aNewEvent()], 'absent');
    await until(() => wire.holding && otherWire.swallowed > 0);
    otherWire.cut();
    // The answer comes now for which, since the other store was lost, nobody waits any more.
    wire.releaseAnswers();
    expect(await appended).toMatchObject({ revision: 0 });
    expect(await all(log.read('run-2'))).toHaveLength(1);
    await lost;
    await other.close();
    otherWire.close();
    await otherStore.stop();
  });
});

describe('L2: a store that does not answer', () => {
  it('fails an append, a read and a look at the end in our own time, and nothing comes late', async () => {
    await log.append('run-1', [aNewEvent()], 'absent');
    wire.swallowAnswers();
    const started = performance.now();
    await expect(log.append('run-1', [aNewEvent()], 'any')).rejects.toMatchObject(UNAVAILABLE);
    await expect(all(log.read('run-1'))).rejects.toMatchObject(UNAVAILABLE);
    await expect(log.last('run-1')).rejects.toMatchObject(UNAVAILABLE);
    await expect(log.ping()).rejects.toMatchObject(UNAVAILABLE);
    // Three attempts of the append and three reads of half a second each; the client itself gives up after twenty.
    expect(performance.now() - started).toBeLessThan(12_000);
    wire.cut();
    await until(async () => (await log.last('run-1').catch(() => undefined)) !== undefined);
  });
});

describe('L3: an append whose answer is lost', () => {
  it('is sent again with the same ids and is there once', async () => {
    await log.append('run-1', [aNewEvent()], 'absent');
    const events = [aNewEvent(), aNewEvent()];
    wire.swallowAnswers();
    const appended = log.append('run-1', events, 0);
    await until(() => wire.swallowed > 0);
    wire.cut();
    expect(await appended).toMatchObject({ revision: 2 });
    expect((await all(log.read('run-1', 1))).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });
});

describe('L4: a store that is not there', () => {
  it('is Unavailable at the first error, which is a bare gRPC error, and at every later one', async () => {
    wire.close();
    for (let time = 0; time < 3; time += 1) {
      await expect(log.last('run-1')).rejects.toMatchObject(UNAVAILABLE);
      await expect(log.append('run-1', [aNewEvent()], 'any')).rejects.toMatchObject(UNAVAILABLE);
    }
  });

  it('is told from one that refuses: that is not repeated', async () => {
    const tooLarge = aNewEvent('Noted', { text: 'x'.repeat(1_100_000) });
    await expect(log.append('run-1', [tooLarge], 'any')).rejects.toMatchObject({
      code: 'log-refused',
      remedy: 'give-up',
    });
    await expect(log.append('$all', [aNewEvent()], 'any')).rejects.toMatchObject({ code: 'log-refused' });
  });
});

describe('L5: closing', () => {
  it('comes to an end though the store does not answer', async () => {
    await log.append('run-1', [aNewEvent()], 'absent');
    wire.swallowAnswers();
    const lost = log.append('run-1', [aNewEvent()], 'any').catch(() => undefined);
    await until(() => wire.swallowed > 0);
    const started = performance.now();
    await log.close();
    expect(performance.now() - started).toBeLessThan(5_000);
    wire.cut();
    await lost;
  });
});

describe('many events and large ones', () => {
  it('are appended all or none', async () => {
    const patient = connectLog(wire.url, { timeoutMs: 30_000 });
    const events = Array.from({ length: 2_000 }, (_, n) => aNewEvent('Noted', { n, text: 'x'.repeat(200) }));
    expect(await patient.append('run-1', events, 'absent')).toMatchObject({ revision: 1_999 });
    await expect(patient.append('run-1', [aNewEvent(), aNewEvent()], 7)).rejects.toMatchObject({
      code: 'wrong-revision',
    });
    expect((await all(patient.read('run-1'))).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    await patient.close();
  });

  it('go by way of the blob store when they are larger than an append may be', async () => {
    const patient = connectLog(wire.url, { timeoutMs: 30_000 });
    const content = Buffer.alloc(3_000_000, 'large ');
    const { digest } = await new Blobs(patient).put(content, 'text/plain');
    expect((await new Blobs(patient).get(digest)).equals(content)).toBe(true);
    await patient.close();
  });
});
