import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { type EmbeddedEventStore, startEventStore } from './start.js';
import { checkStore } from './tools/check.js';

let folder: string;
let server: EmbeddedEventStore;
let client: EventStoreDBClient;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maintenance-'));
  server = await startEventStore({ data: join(folder, 'data') });
  client = EventStoreDBClient.connectionString(server.connectionString);
});
afterEach(async () => {
  await client.dispose();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const events = (count: number) => Array.from({ length: count }, (_, n) => jsonEvent({ type: 'Happened', data: { n } }));
const ask = async (what: string, body?: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`http://127.0.0.1:${server.port}/admin/${what}`, {
    method: 'POST',
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('the running server', () => {
  it('scavenges on demand while a subscription to $all goes on', async () => {
    await client.appendToStream('limited', events(500));
    await client.setStreamMetadata('limited', { maxCount: 2 });
    const seen: string[] = [];
    const subscription = client.subscribeToAll({ fromPosition: 'start' });
    subscription.on('data', ({ event }) => event?.streamId === 'later' && seen.push(String(event.revision)));
    await new Promise((resolve) => subscription.once('caughtUp', resolve));
    expect(await ask('scavenge')).toMatchObject({ status: 200, body: { streams: 1, events: 498 } });
    const arrived = new Promise<void>((resolve) => subscription.on('data', () => seen.length === 3 && resolve()));
    await client.appendToStream('later', events(3));
    await arrived;
    expect(seen).toEqual(['0', '1', '2']);
    await subscription.unsubscribe();
    const left: bigint[] = [];
    for await (const { event } of client.readStream('limited')) left.push(event?.revision ?? -1n);
    expect(left).toEqual([498n, 499n]);
  });

  it('writes a backup to a new file', async () => {
    await client.appendToStream('kept', events(100));
    const file = join(folder, 'copy.sqlite');
    expect(await ask('backup', JSON.stringify({ file }))).toMatchObject({ status: 200, body: { file, position: 100 } });
    expect(checkStore(file)).toMatchObject({ events: 100, found: 0 });
    expect(await ask('backup', JSON.stringify({ file }))).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('exists already') },
    });
  });

  it.each([
    ['no JSON', '{"file":', {}, 400],
    ['a relative path', '{"file":"copy.sqlite"}', {}, 400],
    ['no file', '{}', {}, 400],
    ['a page of another site', '{"file":"/tmp/x"}', { origin: 'http://example.org' }, 403],
  ])('refuses %s', async (_, body, headers, status) => {
    expect(await ask('backup', body, headers)).toMatchObject({ status });
  });
});
