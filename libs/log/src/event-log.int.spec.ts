import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aNewEvent, describeEventLog, type EmbeddedEventStore, startEventStore } from '#testing';
import { connectLog, type Delivery, type EventLog } from './index.js';

describe('over the embedded event store', () => {
  let store: EmbeddedEventStore;
  let log: EventLog;
  beforeAll(async () => {
    store = await startEventStore();
    log = connectLog(store.connectionString);
  });
  afterAll(async () => {
    await log.close();
    await store.stop();
  });
  describeEventLog('the connected log', () => log);
});

describe('a log that goes away', () => {
  let folder: string;
  let store: EmbeddedEventStore;
  let log: EventLog;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'baton-log-'));
    store = await startEventStore({ data: folder });
    log = connectLog(store.connectionString, { timeoutMs: 2_000 });
  });
  afterEach(async () => {
    await log.close();
    await store.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const restart = async (): Promise<void> => {
    const { port } = store;
    await store.stop();
    store = await startEventStore({ data: folder, port });
  };

  it.each([
    ['a stream', () => log.follow('run-1', -1)],
    ['all streams', () => log.followAll(['Noted'], undefined)],
  ])('ends what follows %s with Unavailable', async (_, follow) => {
    await log.append('run-1', [aNewEvent()], 'absent');
    const kinds: Delivery['kind'][] = [];
    const iterated = (async () => {
      for await (const { kind } of follow()) {
        kinds.push(kind);
        if (kind === 'caught-up') await restart();
      }
    })();
    await expect(iterated).rejects.toMatchObject({ code: 'unavailable' });
    expect(kinds).toContain('event');
  });

  it('answers again after it has come back, and holds what was acknowledged', async () => {
    const first = aNewEvent();
    await log.append('run-1', [first], 'absent');
    await restart();
    expect(await log.last('run-1')).toMatchObject({ id: first.id });
    expect(await log.append('run-1', [aNewEvent()], 0)).toMatchObject({ revision: 1 });
  });

  it('writes an append once whose answer was lost', async () => {
    const event = aNewEvent();
    const ends = log.append('run-1', [event], 'absent').catch(() => undefined);
    await restart();
    await ends;
    expect(await log.append('run-1', [event], 'absent')).toMatchObject({ revision: 0 });
    expect(await log.last('run-1')).toMatchObject({ id: event.id, revision: 0 });
  });

  it('is Unavailable while it is down', async () => {
    await store.stop();
    await expect(log.append('run-1', [aNewEvent()], 'any')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(log.last('run-1')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(log.ping()).rejects.toMatchObject({ code: 'unavailable' });
  });
});
