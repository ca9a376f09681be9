import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient } from '@eventstore/db-client';
import { type ServerProcess, type StandbyProcess, standbyProcess, startServerProcess } from '../test/server-process.js';
import { aWriter, countTo, expectAcknowledged, settle, write } from '../test/writers.js';
import { checkStore } from './tools/check.js';

const WRITERS = 50;
const ROUNDS = 20;
/** A round takes a second on two idle cores. */
const LONGEST_MS = 240_000;

let folder: string;
let standby: StandbyProcess | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'event-store-'));
});
afterEach(() => standby?.dismiss());
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a server killed under load, time and again', () => {
  it(
    'has every acknowledged append, in revisions without gaps, and takes a retry once',
    async () => {
      const writers = Array.from({ length: WRITERS }, (_, n) => aWriter(`writer-${n}`));
      standby = standbyProcess(folder);
      for (let round = 0; round < ROUNDS; round += 1) {
        const server = await standby.start();
        // The next server gets ready while this one is written to.
        standby = standbyProcess(folder);
        const client = EventStoreDBClient.connectionString(server.connectionString);
        await Promise.all(writers.map((writer) => settle(client, writer)));
        // At another moment each time, so that kills fall into commits, answers and checkpoints.
        const { one, reached } = countTo(100 + round * 37);
        const written = writers.map((writer) => write(client, writer, one));
        await reached;
        await server.kill();
        await Promise.all(written);
        await client.dispose();
      }
      const server = await standby.start();
      const client = EventStoreDBClient.connectionString(server.connectionString);
      for (const writer of writers) {
        await settle(client, writer);
        await expectAcknowledged(client, writer);
      }
      await client.dispose();
      expect(await server.terminate()).toBe(0);
      expect(checkStore(folder)).toMatchObject({ found: 0, streams: WRITERS });
    },
    LONGEST_MS,
  );
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
