import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { DatabaseSync } from '@photostructure/sqlite';
import { median, repeatFor, round } from '../figures.js';
import { measureAppends } from './appends.js';
import { measureClient } from './catch-up.js';
import { ECHO } from './echo.js';
import { startPrepared } from './server.js';

const ROW_BYTES = 300;
const echoProcess = fileURLToPath(new URL('./echo-process.js', import.meta.url));

export interface Floor {
  readonly commitMs: number;
  readonly echoMs: number;
  /** One writer with the official client, whose server answers at once and keeps nothing (ms, p50). */
  readonly clientMs: number;
  /** Events a second that the official client takes from a server that has them ready. */
  readonly clientPerS: number;
}

/** What nothing of this kind can go below on this machine. */
export async function measureFloor(folder: string, ms: number, events: number): Promise<Floor> {
  const commitMs = await measureCommit(folder, ms);
  const echoMs = await measureEcho(ms);
  const prepared = await startPrepared(events);
  try {
    const { p50Ms } = await measureAppends(prepared, 1, ms);
    const { perS } = await measureClient(prepared);
    return { commitMs, echoMs, clientMs: p50Ms, clientPerS: perS };
  } finally {
    await prepared.stop();
  }
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
  return round(median(samples), 3);
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
  return round(median(samples), 3);
}
