import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AccessDeniedError,
  ANY,
  binaryEvent,
  EventStoreDBClient,
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  type ResolvedEvent,
  START,
} from '@eventstore/db-client';
import { until } from '#testing';
import { passwordOf, writeUsers } from '../test/users.js';
import { type EmbeddedEventStore, startEventStore } from './start.js';

const fixture = (name: string) => fileURLToPath(new URL(`../test/certificate/${name}`, import.meta.url));
const tls = { certFile: fixture('localhost.crt'), keyFile: fixture('localhost.key') };
const trusting = `tlsCaFile=${encodeURIComponent(tls.certFile)}`;

let folder: string;
let server: EmbeddedEventStore;
let names = 0;
const clients: EventStoreDBClient[] = [];
const fresh = (prefix = 'stream') => `${prefix}-${++names}`;
const event = (type = 'Happened') => jsonEvent({ type, data: {} });

/** A client of its own for each user, as an application has. */
function signedIn(name?: string, password = passwordOf(name ?? '')): EventStoreDBClient {
  const who = name === undefined ? '' : `${name}:${encodeURIComponent(password)}@`;
  const client = EventStoreDBClient.connectionString(`esdb://${who}127.0.0.1:${server.port}?tls=true&${trusting}`);
  clients.push(client);
  return client;
}

const credentials = (username: string) => ({ credentials: { username, password: passwordOf(username) } });

async function collect(events: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const all: ResolvedEvent[] = [];
  for await (const one of events) all.push(one);
  return all;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'event-store-access-'));
  const usersFile = join(folder, 'users');
  await writeUsers(usersFile, { admin: ['$admins'], ops: ['$ops'], ann: ['accounting'], bob: [] });
  server = await startEventStore({ tls, usersFile });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.dispose()));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

describe('over TLS', () => {
  it('appends, reads and subscribes as without it', async () => {
    const client = signedIn('ann');
    const stream = fresh();
    const subscription = client.subscribeToStream(stream);
    await new Promise((resolve) => subscription.once('caughtUp', resolve));
    const live = new Promise<ResolvedEvent>((resolve) => subscription.once('data', resolve));
    await client.appendToStream(stream, [event(), binaryEvent({ type: 'Raw', data: Buffer.alloc(500_000, 7) })]);
    expect((await live).event?.revision).toBe(0n);
    expect(await collect(client.readStream(stream))).toHaveLength(2);
    await subscription.unsubscribe();
  });

  it('is discovered by gossip without credentials', async () => {
    const client = EventStoreDBClient.connectionString(
      `esdb+discover://ann:${encodeURIComponent(passwordOf('ann'))}@localhost:${server.port}?tls=true&${trusting}&maxDiscoverAttempts=1`,
    );
    clients.push(client);
    expect(await client.appendToStream(fresh(), event())).toMatchObject({ success: true });
  });

  it('is refused by a client that does not trust the certificate, and goes on serving others', async () => {
    const distrusting = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${server.port}?tls=true`);
    clients.push(distrusting);
    await expect(distrusting.appendToStream(fresh(), event(), { deadline: 2000 })).rejects.toThrow(/certificate/);
    expect(await signedIn('ann').appendToStream(fresh(), event())).toMatchObject({ success: true });
  });
});

describe('credentials', () => {
  it.each([
    ['a wrong password', 'ann', 'guessed'],
    ['an unknown name', 'nobody', 'guessed'],
    ['an empty password', 'ann', ''],
  ])('%s is refused on every call, with AccessDeniedError', async (_, name, password) => {
    const client = signedIn('bob');
    const wrong = { credentials: { username: name, password } };
    await expect(client.appendToStream(fresh(), event(), wrong)).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(collect(client.readStream(fresh(), wrong))).rejects.toMatchObject({ code: 16 });
    await expect(collect(client.readStream(fresh(), wrong))).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(client.deleteStream(fresh(), { ...wrong, expectedRevision: ANY })).rejects.toBeInstanceOf(
      AccessDeniedError,
    );
  });

  it('that are wrong from the start refuse batch appends too', async () => {
    await expect(signedIn('ann', 'guessed').appendToStream(fresh(), event())).rejects.toBeInstanceOf(AccessDeniedError);
  });

  it('that are missing open no stream', async () => {
    const anonymous = signedIn();
    await expect(anonymous.appendToStream(fresh(), event())).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(collect(anonymous.readStream(fresh()))).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(collect(anonymous.readAll())).rejects.toBeInstanceOf(AccessDeniedError);
  });

  it('of one call go before those of the connection', async () => {
    const stream = fresh();
    const client = signedIn('ann');
    await client.setStreamMetadata(stream, { acl: { writeRoles: ['bob'], readRoles: ['bob'] } }, credentials('ann'));
    await expect(client.appendToStream(stream, event())).rejects.toBeInstanceOf(AccessDeniedError);
    expect(await client.appendToStream(stream, event(), credentials('bob'))).toMatchObject({ success: true });
  });
});

describe('the access list of a stream', () => {
  const acl = {
    readRoles: ['accounting', 'bob'],
    writeRoles: ['accounting'],
    deleteRoles: [],
    metaReadRoles: ['bob'],
    metaWriteRoles: ['ann'],
  };
  let stream: string;
  beforeEach(async () => {
    stream = fresh('ledger');
    await signedIn('ann').setStreamMetadata(stream, { acl });
  });

  it('names groups and users: members write, the reader reads, nobody else does either', async () => {
    await signedIn('ann').appendToStream(stream, event());
    expect(await collect(signedIn('bob').readStream(stream))).toHaveLength(1);
    await expect(signedIn('bob').appendToStream(stream, event())).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(signedIn('bob').appendToStream(stream, event(), credentials('bob'))).rejects.toBeInstanceOf(
      AccessDeniedError,
    );
    await expect(signedIn('ops').appendToStream(stream, event())).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(collect(signedIn('ops').readStream(stream))).rejects.toBeInstanceOf(AccessDeniedError);
  });

  it('keeps deleting to administrators when the list is empty', async () => {
    await signedIn('ann').appendToStream(stream, event());
    await expect(signedIn('ann').deleteStream(stream)).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(signedIn('ann').tombstoneStream(stream)).rejects.toBeInstanceOf(AccessDeniedError);
    expect(await signedIn('admin').deleteStream(stream)).toMatchObject({ position: expect.anything() });
  });

  it('tells reading and writing of the metadata apart', async () => {
    expect((await signedIn('bob').getStreamMetadata(stream)).metadata).toMatchObject({ acl });
    await expect(signedIn('bob').setStreamMetadata(stream, {})).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(signedIn('ops').getStreamMetadata(stream)).rejects.toBeInstanceOf(AccessDeniedError);
    await signedIn('ann').setStreamMetadata(stream, { maxCount: 1 });
    expect((await signedIn('ops').getStreamMetadata(stream)).metadata).toEqual({ maxCount: 1 });
  });

  it('that cannot be read opens nothing', async () => {
    const metastream = `$$${stream}`;
    await signedIn('ann').appendToStream(metastream, jsonEvent({ type: '$metadata', data: { $acl: 7 } }));
    await expect(collect(signedIn('ann').readStream(stream))).rejects.toBeInstanceOf(AccessDeniedError);
    await signedIn('admin').appendToStream(stream, event());
  });

  it('refuses a subscription, and ends one whose reader is taken off the list', async () => {
    const refused = signedIn('ops').subscribeToStream(stream);
    expect(await new Promise((resolve) => refused.once('error', resolve))).toBeInstanceOf(AccessDeniedError);
    const open = signedIn('bob').subscribeToStream(stream);
    await new Promise((resolve) => open.once('caughtUp', resolve));
    const ended = new Promise((resolve) => open.once('error', resolve));
    await signedIn('ann').setStreamMetadata(stream, { acl: { readRoles: ['accounting'] } });
    await signedIn('ann').appendToStream(stream, event());
    expect(await ended).toBeInstanceOf(AccessDeniedError);
  });

  it('is not passed by a link', async () => {
    await signedIn('ann').appendToStream(stream, event('Secret'));
    const links = fresh('links');
    const link = binaryEvent({ type: '$>', data: Buffer.from(`0@${stream}`) });
    await signedIn('ann').appendToStream(links, link);
    const followed = async (name: string) =>
      (await collect(signedIn(name).readStream(links, { resolveLinkTos: true }))).map((one) => one.event?.type);
    expect(await followed('bob')).toEqual(['Secret']);
    expect(await followed('ops')).toEqual([undefined]);
  });
});

describe('persistent subscriptions', () => {
  const acl = { readRoles: ['accounting'], writeRoles: ['accounting'], metaWriteRoles: ['accounting'] };
  const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START });
  let stream: string;
  beforeEach(async () => {
    stream = fresh('ledger');
    await signedIn('ann').setStreamMetadata(stream, { acl });
    await signedIn('ann').appendToStream(stream, event());
  });
  const consume = (name?: string) => signedIn(name).subscribeToPersistentSubscriptionToStream(stream, 'g');
  const errorOf = (subscription: { once(event: 'error', listener: (error: Error) => void): unknown }) =>
    new Promise<Error>((resolve) => void subscription.once('error', resolve));

  it.each(['bob', 'ann', undefined])('are not made, changed, replayed, restarted or deleted by %s', async (name) => {
    await signedIn('ops').createPersistentSubscriptionToStream(stream, 'g', settings);
    const client = signedIn(name);
    for (const attempt of [
      () => client.createPersistentSubscriptionToStream(stream, 'other', settings),
      () => client.updatePersistentSubscriptionToStream(stream, 'g', settings),
      () => client.replayParkedMessagesToStream(stream, 'g'),
      () => client.restartPersistentSubscriptionSubsystem(),
      () => client.deletePersistentSubscriptionToStream(stream, 'g'),
      () => client.createPersistentSubscriptionToAll('everything', persistentSubscriptionToAllSettingsFromDefaults()),
    ])
      await expect(attempt()).rejects.toBeInstanceOf(AccessDeniedError);
    expect(await signedIn('bob').listAllPersistentSubscriptions()).toEqual([
      expect.objectContaining({ groupName: 'g', eventSource: stream }),
    ]);
    await signedIn('ops').deletePersistentSubscriptionToStream(stream, 'g');
  });

  it('are read by who may read the stream, operators or not', async () => {
    await signedIn('ops').createPersistentSubscriptionToStream(stream, 'g', settings);
    expect(await errorOf(consume('bob'))).toBeInstanceOf(AccessDeniedError);
    expect(await errorOf(consume('ops'))).toBeInstanceOf(AccessDeniedError);
    expect(await errorOf(consume())).toBeInstanceOf(AccessDeniedError);
    const consumer = consume('ann');
    const got = await new Promise<ResolvedEvent>((resolve) => consumer.once('data', resolve));
    expect(got.event?.streamId).toBe(stream);
    await consumer.unsubscribe();
    await signedIn('admin').deletePersistentSubscriptionToStream(stream, 'g');
  });

  it('end a consumer that is taken off the list at the next event, which goes to one that may', async () => {
    await signedIn('ops').createPersistentSubscriptionToStream(stream, 'g', settings);
    const consumer = consume('ann');
    const ended = errorOf(consumer);
    consumer.once('data', (got) => void consumer.ack(got));
    const operator = signedIn('ops');
    await until(async () => {
      const { connections } = await operator.getPersistentSubscriptionToStreamInfo(stream, 'g');
      return connections[0]?.totalItems === 1n && connections[0].inFlightMessages === 0;
    });
    await signedIn('admin').setStreamMetadata(stream, { acl: { readRoles: ['bob'], writeRoles: ['accounting'] } });
    await signedIn('ann').appendToStream(stream, event('Secret'));
    expect(await ended).toBeInstanceOf(AccessDeniedError);
    const allowed = consume('bob');
    const types: (string | undefined)[] = [];
    await new Promise<void>((resolve) => {
      allowed.on('data', (got) => {
        types.push(got.event?.type);
        if (got.event?.type === 'Secret') resolve();
      });
    });
    await allowed.unsubscribe();
    await signedIn('ops').deletePersistentSubscriptionToStream(stream, 'g');
  });

  it('to $all are read by administrators, unless $all is opened', async () => {
    await signedIn('ops').createPersistentSubscriptionToAll('all', persistentSubscriptionToAllSettingsFromDefaults());
    const refused = signedIn('ann').subscribeToPersistentSubscriptionToAll('all');
    expect(await errorOf(refused)).toBeInstanceOf(AccessDeniedError);
    const admin = signedIn('admin').subscribeToPersistentSubscriptionToAll('all');
    await new Promise<void>((resolve) => void admin.once('confirmation', () => resolve()));
    await admin.unsubscribe();
    await signedIn('ops').deletePersistentSubscriptionToAll('all');
  });
});

describe('system streams and $all', () => {
  it('are for administrators', async () => {
    await expect(collect(signedIn('ops').readAll())).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(collect(signedIn('ann').readStream('$settings'))).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(signedIn('ann').appendToStream('$mine', event())).rejects.toBeInstanceOf(AccessDeniedError);
    const refused = signedIn('ann').subscribeToAll();
    expect(await new Promise((resolve) => refused.once('error', resolve))).toBeInstanceOf(AccessDeniedError);
    const admin = signedIn('admin');
    await admin.appendToStream('$mine', event());
    expect((await collect(admin.readAll({ maxCount: 10 }))).length).toBeGreaterThan(0);
  });

  it('are opened by metadata of their own', async () => {
    const admin = signedIn('admin');
    await admin.setStreamMetadata('$all', { acl: { readRoles: ['accounting'] } });
    expect((await collect(signedIn('ann').readAll({ maxCount: 1 }))).length).toBe(1);
    await expect(collect(signedIn('bob').readAll())).rejects.toBeInstanceOf(AccessDeniedError);
    await admin.setStreamMetadata('$all', {});
    await expect(collect(signedIn('ann').readAll())).rejects.toBeInstanceOf(AccessDeniedError);
  });

  it('are written and deleted by nobody where that makes no sense', async () => {
    const admin = signedIn('admin');
    await expect(admin.appendToStream('$all', event())).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(admin.deleteStream('$$something')).rejects.toBeInstanceOf(AccessDeniedError);
  });
});

describe('$settings', () => {
  const settings = (data: object) =>
    signedIn('admin').appendToStream(
      '$settings',
      jsonEvent({ type: '$settings', data: data as Record<string, string> }),
    );
  afterEach(() => settings({}));

  it('decides for streams without a list of their own', async () => {
    const stream = fresh();
    await settings({ $userStreamAcl: { $r: '$all', $w: 'ann' }, $systemStreamAcl: { $r: ['$admins', 'bob'] } });
    await expect(signedIn('bob').appendToStream(stream, event())).rejects.toBeInstanceOf(AccessDeniedError);
    await signedIn('ann').appendToStream(stream, event());
    expect(await collect(signedIn('bob').readStream(stream))).toHaveLength(1);
    expect((await collect(signedIn('bob').readStream('$settings'))).length).toBeGreaterThan(0);
    await expect(signedIn('bob').appendToStream('$mine', event())).rejects.toBeInstanceOf(AccessDeniedError);
  });

  it('is what a stream falls back on for what its own list leaves open', async () => {
    const stream = fresh();
    await signedIn('ann').setStreamMetadata(stream, { acl: { readRoles: ['bob'] } });
    await settings({ $userStreamAcl: { $w: 'ann' } });
    await expect(signedIn('bob').appendToStream(stream, event())).rejects.toBeInstanceOf(AccessDeniedError);
    await signedIn('ann').appendToStream(stream, event());
    expect(await collect(signedIn('bob').readStream(stream))).toHaveLength(1);
  });
});

describe('over HTTP', () => {
  it('asks for credentials where events or figures are, and answers health checks without', async () => {
    const plain = await startEventStore({ usersFile: join(folder, 'users'), usersWithoutTls: true });
    const ask = async (path: string, who?: string) => {
      const authorization = who && `Basic ${Buffer.from(`${who}:${passwordOf(who)}`).toString('base64')}`;
      const answer = await fetch(`http://127.0.0.1:${plain.port}${path}`, {
        headers: authorization ? { authorization } : {},
      });
      return answer.status;
    };
    for (const path of ['/ping', '/info', '/gossip']) expect(await ask(path)).toBe(200);
    expect(await ask('/stats')).toBe(401);
    expect(await ask('/stats', 'bob')).toBe(200);
    expect(await ask('/stats', 'nobody')).toBe(401);
    await plain.stop();
  });

  it('is never without TLS beyond the loopback interface, nor there unless that is allowed', async () => {
    await expect(startEventStore({ usersFile: join(folder, 'users') })).rejects.toThrow(/Users need TLS/);
  });
});

describe('without users', () => {
  it('everything is allowed, whatever the lists say', async () => {
    const open = await startEventStore();
    const client = EventStoreDBClient.connectionString(open.connectionString);
    await client.setStreamMetadata('closed', { acl: { readRoles: [], writeRoles: [] } });
    await client.appendToStream('closed', event());
    expect(await collect(client.readStream('closed'))).toHaveLength(1);
    await client.appendToStream('$system', event());
    await client.dispose();
    await open.stop();
  });
});
