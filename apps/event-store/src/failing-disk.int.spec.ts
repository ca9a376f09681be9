import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient } from '@eventstore/db-client';
import { type ServerProcess, startServerProcess } from '../test/server-process.js';
import { aWriter, countTo, expectAcknowledged, settle, single, type Written, write } from '../test/writers.js';
import { checkStore } from './tools/check.js';

const WRITERS = 50;
const ROUNDS = 5;
const BALLAST = 3 * 1024 * 1024;

let folder: string;
let server: ServerProcess;
let client: EventStoreDBClient;
let writers: Written[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'failing-disk-'));
  writers = Array.from({ length: WRITERS }, (_, n) => aWriter(`writer-${n}`));
});
afterEach(async () => {
  await client?.dispose().catch(() => undefined);
  server?.child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function start(data: string): Promise<void> {
  server = await startServerProcess(data);
  client = EventStoreDBClient.connectionString(server.connectionString);
}

/** Kills the server, starts it again and looks for everything that was acknowledged. */
async function expectAllAfterKill(data: string): Promise<void> {
  await server.kill();
  await client.dispose();
  await start(data);
  for (const writer of writers) {
    await settle(client, writer);
    await expectAcknowledged(client, writer);
  }
  expect(await server.terminate()).toBe(0);
  expect(checkStore(data)).toMatchObject({ found: 0 });
}

/** Each writer writes until it is refused. */
const writeAll = (one: () => void): Promise<unknown> =>
  Promise.all(writers.map((writer) => write(client, writer, one)));
const said = ({ stderr, error }: ReturnType<typeof spawnSync>): string => String(error?.message ?? stderr).trim();

/** Lets the server write files up to this size only (bytes): beyond it the file system answers with an error. */
function limitFiles(bytes: number | 'unlimited'): void {
  const result = spawnSync('prlimit', [`--fsize=${bytes}:unlimited`, '--pid', String(server.child.pid)]);
  if (result.status !== 0) throw new Error(said(result));
}

const canLimit = spawnSync('prlimit', ['--fsize', '--pid', String(process.pid)]);

describe('a file system that fails in the middle', () => {
  it('costs nothing that was acknowledged; appends are refused meanwhile and go on afterwards', async () => {
    if (canLimit.status !== 0) {
      process.stdout.write(`Without prlimit (${said(canLimit)}): no test of I/O errors.\n`);
      return;
    }
    await start(folder);
    for (let round = 0; round < ROUNDS; round += 1) {
      // At another moment each time, so that failures fall into commits and checkpoints.
      const { one, reached } = countTo(150 + round * 87);
      const written = writeAll(one);
      await reached;
      limitFiles(4096);
      await written;
      await expect(client.appendToStream('refused', single(crypto.randomUUID()))).rejects.toMatchObject({
        type: 'unknown',
      });
      for (const writer of writers.slice(0, 5)) {
        const read = client.readStream(writer.stream);
        let events = 0;
        for await (const _ of read) events += 1;
        expect(events).toBe(writer.acknowledged.length);
      }
      limitFiles('unlimited');
      await Promise.all(writers.map((writer) => settle(client, writer)));
    }
    for (const writer of writers) await expectAcknowledged(client, writer);
    await expectAllAfterKill(folder);
  });
});

function mountSmall(): { readonly refusal?: string } {
  const result = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder]);
  return result.status === 0 ? {} : { refusal: said(result) };
}

describe('a full disk', () => {
  it('costs nothing that was acknowledged; appends are refused until there is room again', async () => {
    const { refusal } = mountSmall();
    if (refusal !== undefined) {
      process.stdout.write(`Mounting is not allowed (${refusal}): no test of a full disk.\n`);
      return;
    }
    try {
      const data = join(folder, 'data');
      const ballast = join(folder, 'ballast');
      writeFileSync(ballast, Buffer.alloc(BALLAST, 1));
      await start(data);
      await writeAll(() => undefined);
      expect(writers.some(({ acknowledged }) => acknowledged.length > 0)).toBe(true);
      await expect(client.appendToStream('refused', single(crypto.randomUUID()))).rejects.toMatchObject({
        type: 'unknown',
      });
      rmSync(ballast);
      for (const writer of writers) {
        await settle(client, writer);
        await expectAcknowledged(client, writer);
      }
      await expectAllAfterKill(data);
    } finally {
      server.child.kill('SIGKILL');
      spawnSync('umount', ['-l', folder]);
    }
  });
});

describe('a folder that cannot be written', () => {
  it('stops the start with a sentence', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(startServerProcess(join(file, 'data'))).rejects.toThrow(/data folder .* cannot be made/);
    writeFileSync(join(folder, 'events.sqlite'), 'no database at all '.repeat(1000));
    await expect(startServerProcess(folder)).rejects.toThrow(/cannot be opened \(.*not a database/);
  });
});
