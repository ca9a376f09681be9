import { request } from 'node:http';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { type EmbeddedEventStore, startEventStore } from './start.js';

const event = () => jsonEvent({ type: 'Happened', data: {} });

async function appendsBy(connectionString: string): Promise<boolean> {
  const client = EventStoreDBClient.connectionString(connectionString);
  try {
    return (await client.appendToStream('found', event())).success;
  } finally {
    await client.dispose();
  }
}

describe('a cluster of one', () => {
  let behind: EmbeddedEventStore;
  let front: EmbeddedEventStore;
  beforeAll(async () => {
    behind = await startEventStore();
    front = await startEventStore({ advertise: { host: 'localhost', port: behind.port } });
  });
  afterAll(async () => {
    await Promise.all([front.stop(), behind.stop()]);
  });

  it('is found by discovery, by a list of hosts, and by its address', async () => {
    const { port } = behind;
    for (const where of [
      `esdb+discover://127.0.0.1:${port}`,
      `esdb://127.0.0.1:${port},127.0.0.1:${port}`,
      `esdb://127.0.0.1:${port}`,
    ])
      expect(await appendsBy(`${where}?tls=false&maxDiscoverAttempts=1`)).toBe(true);
  });

  it('sends whoever discovers it to the advertised host and port', async () => {
    const before = await positionOf(front);
    expect(await appendsBy(`esdb+discover://127.0.0.1:${front.port}?tls=false&maxDiscoverAttempts=1`)).toBe(true);
    expect(await positionOf(front)).toBe(before);
    const gossip = await (await fetch(`http://127.0.0.1:${front.port}/gossip`)).json();
    expect(gossip).toMatchObject({ members: [{ httpEndPointIp: 'localhost', httpEndPointPort: behind.port }] });
  });

  it('tells over HTTP what it is', async () => {
    const ask = (path: string) => fetch(`http://127.0.0.1:${behind.port}${path}`);
    expect(await (await ask('/info')).json()).toMatchObject({
      esVersion: '23.10.0.0',
      features: { projections: false },
    });
    expect((await ask('/health/live')).status).toBe(204);
  });
});

describe('what is out of scope', () => {
  let server: EmbeddedEventStore;
  beforeAll(async () => {
    server = await startEventStore();
  });
  afterAll(() => server.stop());

  it('is refused with a sentence: projections by gRPC, AtomPub and the rest by HTTP', async () => {
    const client = EventStoreDBClient.connectionString(server.connectionString);
    await expect(client.enableProjection('any')).rejects.toThrow(
      /not served here: projections, clustering and AtomPub/,
    );
    await client.dispose();
    for (const path of ['/streams/some', '/projections/any', '/users', '/elections']) {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
      expect(answer.status).toBe(501);
      expect(await answer.json()).toMatchObject({ title: 'Not served', detail: expect.stringMatching(/here|file/) });
    }
    expect((await fetch(`http://127.0.0.1:${server.port}/ping`, { method: 'PUT' })).status).toBe(405);
  });

  it('is what pages of other sites ask: by their name for our address, or from their scripts', async () => {
    const port = server.port;
    const status = (headers: Record<string, string>) =>
      new Promise((resolve) => {
        request({ port, host: '127.0.0.1', path: '/', headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        }).end();
      });
    expect(await status({ host: `evil.example:${port}` })).toBe(421);
    expect(await status({ host: `127.0.0.1:${port}`, origin: 'http://evil.example' })).toBe(403);
    expect(await status({ host: `localhost:${port}` })).toBe(200);
    expect(await status({ host: `[::1]:${port}` })).toBe(200);
  });
});

async function positionOf(server: EmbeddedEventStore): Promise<unknown> {
  const stats = (await (await fetch(`http://127.0.0.1:${server.port}/stats`)).json()) as { lastPosition: number };
  return stats.lastPosition;
}
