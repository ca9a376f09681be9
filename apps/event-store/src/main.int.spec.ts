import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { type ServerProcess, startServerProcess } from '../test/server-process.js';

const certificate = fileURLToPath(new URL('../test/certificate/localhost.crt', import.meta.url));
const typescript = new URL('../../../libs/testing/fixtures/typescript.mjs', import.meta.url).href;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'event-store-main-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Why a start with these settings fails. */
const refusal = (settings: Readonly<Record<string, string>>, port = 0): Promise<string> =>
  startServerProcess(join(folder, 'refused'), port, settings).then(
    async (server) => {
      await server.terminate();
      return 'it started';
    },
    (error: Error) => error.message,
  );

describe('a start that cannot be', () => {
  let running: ServerProcess;
  beforeAll(async () => {
    running = await startServerProcess(join(folder, 'running'));
  });
  afterAll(() => running.terminate());

  it('says which port is taken, and which folder', async () => {
    expect(await refusal({}, running.port)).toMatch(/^Port \d+ of 127\.0\.0\.1 is taken by another program: /);
    expect(await refusal({ BATON_DATA: join(folder, 'running') })).toMatch(/running is in use by another server: /);
  });

  it('names the file that is wrong, and its line', async () => {
    const users = join(folder, 'users');
    writeFileSync(users, '# people\n\nann - secret\n');
    const tls = { BATON_TLS_CERT: certificate, BATON_TLS_KEY: certificate };
    expect(await refusal({ BATON_USERS: users, ...tls })).toMatch(
      /^The private key .*localhost\.crt cannot be used with/,
    );
    expect(await refusal({ BATON_USERS: users })).toMatch(/users, line 3: the password of ann is no hash/);
    expect(await refusal({ BATON_TLS_CERT: certificate })).toMatch(/BATON_TLS_KEY is not: TLS needs both/);
  });
});

describe('a fault that nobody caught', () => {
  it('ends the server at once and with a sentence; what was acknowledged is there when it starts again', async () => {
    const data = join(folder, 'faulty');
    // The fault is thrown where no call is, as one of the server itself would be.
    const fault = 'process.on("SIGUSR2", () => { throw new Error("out of order") })';
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const options = ['-C', 'baton-src', '--import', typescript, '--import', `data:text/javascript,${fault}`, main];
    const child = spawn(process.execPath, options, {
      env: { BATON_DATA: data, BATON_PORT: '0', BATON_LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const client = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port}?tls=false`);
    await client.appendToStream('kept', jsonEvent({ type: 'Kept', data: {} }));
    await client.dispose();
    child.kill('SIGUSR2');
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(1);
    expect(said).toMatch(/ends because of a fault of its own: out of order/);
    const again = await startServerProcess(data);
    const reader = EventStoreDBClient.connectionString(again.connectionString);
    for await (const { event } of reader.readStream('kept')) expect(event?.type).toBe('Kept');
    await reader.dispose();
    expect(await again.terminate()).toBe(0);
  });
});
