import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { v7 } from 'uuid';
import { type ServerProcess, startServerProcess } from '../test/server-process.js';

const WRITERS = 10;
const ROUNDS = 3;
const ACKNOWLEDGED_BEFORE_KILL = 300;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'event-store-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const streamOf = (round: number, writer: number) => `round-${round}-writer-${writer}`;
const single = (id: string) => jsonEvent({ id, type: 'Written', data: { id } });

/** Writes until the connection is gone; what was acknowledged, and the ids of the append that was not. */
async function write(client: EventStoreDBClient, stream: string, acknowledged: (id: string) => void): Promise<string> {
  for (;;) {
    const id = v7();
    try {
      await client.appendToStream(stream, single(id), { deadline: 5000 });
      acknowledged(id);
    } catch {
      return id;
    }
  }
}

async function idsIn(client: EventStoreDBClient, stream: string): Promise<{ ids: string[]; revisions: number[] }> {
  const ids: string[] = [];
  const revisions: number[] = [];
  for await (const { event } of client.readStream(stream)) {
    ids.push(event?.id ?? '');
    revisions.push(Number(event?.revision));
  }
  return { ids, revisions };
}

async function writeAndKill(round: number): Promise<{ done: string[]; doubtful: string }[]> {
  const server = await startServerProcess(folder);
  const client = EventStoreDBClient.connectionString(server.connectionString);
  const progress = new EventEmitter();
  const enough = once(progress, 'enough');
  let count = 0;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    const done: string[] = [];
    const doubtful = await write(client, streamOf(round, writer), (id) => {
      done.push(id);
      count += 1;
      if (count === ACKNOWLEDGED_BEFORE_KILL) progress.emit('enough');
    });
    return { done, doubtful };
  });
  await enough;
  await server.kill();
  const results = await Promise.all(writers);
  await client.dispose();
  return results;
}

async function checkAfterCrash(round: number, results: readonly { done: string[]; doubtful: string }[]): Promise<void> {
  const server = await startServerProcess(folder);
  const client = EventStoreDBClient.connectionString(server.connectionString);
  for (const [writer, { done, doubtful }] of results.entries()) {
    const stream = streamOf(round, writer);
    await client.appendToStream(stream, single(doubtful));
    await client.appendToStream(stream, single(doubtful));
    const { ids, revisions } = await idsIn(client, stream);
    expect(ids).toEqual([...done, doubtful]);
    expect(revisions).toEqual(ids.map((_, revision) => revision));
  }
  await client.dispose();
  expect(await server.terminate()).toBe(0);
}

describe('a server killed under load', () => {
  it('has every acknowledged append, in revisions without gaps, and takes a retry once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const acknowledged = await writeAndKill(round);
      await checkAfterCrash(round, acknowledged);
    }
  });
});

describe('the data folder', () => {
  it('is refused to a second server, and free again after a kill', async () => {
    const first = await startServerProcess(folder);
    await expect(startServerProcess(folder)).rejects.toThrow(/in use by another server/);
    await first.kill();
    const next: ServerProcess = await startServerProcess(folder);
    expect(await next.terminate()).toBe(0);
  });
});

describe('a server that is told to stop', () => {
  it('ends open subscriptions and exits with 0', async () => {
    const server = await startServerProcess(folder);
    const client = EventStoreDBClient.connectionString(server.connectionString);
    const subscription = client.subscribeToAll();
    await new Promise((resolve) => subscription.once('confirmation', resolve));
    const ended = new Promise((resolve) => subscription.once('error', resolve).once('end', resolve));
    expect(await server.terminate()).toBe(0);
    await ended;
    await client.dispose();
  });

  it('stays when its supervisor lets go of it', async () => {
    const server = await startServerProcess(folder);
    server.child.disconnect();
    const response = await fetch(`http://127.0.0.1:${server.port}/health/live`);
    expect(response.status).toBe(204);
    expect(await server.terminate()).toBe(0);
  });
});
