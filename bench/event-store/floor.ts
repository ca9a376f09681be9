import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { DatabaseSync } from '@photostructure/sqlite';
import { ECHO } from './echo.js';
import { median, repeatFor } from './figures.js';

const ROW_BYTES = 300;
const echoProcess = fileURLToPath(new URL('./echo-process.js', import.meta.url));

/** What nothing of this kind can go below on this machine (ms): one commit, and one message there and back. */
export async function measureFloor(folder: string, ms: number): Promise<{ commitMs: number; echoMs: number }> {
  return { commitMs: await measureCommit(folder, ms), echoMs: await measureEcho(ms) };
}

async function measureCommit(folder: string, ms: number): Promise<number> {
  const database = new DatabaseSync(join(folder, 'floor.sqlite'));
  database.exec(
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE rows (id INTEGER PRIMARY KEY, data BLOB)',
  );
  const insert = database.prepare('INSERT INTO rows (data) VALUES (?)');
  const data = randomBytes(ROW_BYTES);
  const samples = await repeatFor(ms, () => insert.run(data));
  database.close();
  return median(samples);
}

async function measureEcho(ms: number): Promise<number> {
  const child = fork(echoProcess);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = client.makeBidiStreamRequest(ECHO.path, ECHO.requestSerialize, ECHO.responseDeserialize);
  const message = randomBytes(ROW_BYTES);
  const samples = await repeatFor(ms, () => {
    const echoed = once(call, 'data');
    call.write(message);
    return echoed;
  });
  const ended = once(call.resume(), 'end');
  call.end();
  await ended;
  client.close();
  child.disconnect();
  return median(samples);
}
