import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { z } from 'zod';
import { Obstacle } from '../errors.js';
import { replaceFile } from './disk.js';

export const LOOPBACK = '127.0.0.1';
// Below the range from which systems give out ports to connections, so that none of those takes ours by chance.
const FIRST = 20_000;
const LAST = 29_999;

const Remembered = z.record(z.string(), z.int().positive());

/** Whether a port can be listened on now; otherwise the system's code for why not. */
export function obstacleAt(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** @throws Obstacle when the port that the person asked for cannot be had. */
export async function requirePort(port: number): Promise<void> {
  const code = await obstacleAt(port);
  if (code === undefined) return;
  throw new Obstacle(
    code === 'EADDRINUSE'
      ? `Port ${port} is taken by another program: choose another with --port N (or BATON_PORT), or stop what uses it.`
      : `Port ${port} cannot be used (${code}): choose another with --port N (or BATON_PORT).`,
  );
}

/** Whether something accepts connections there. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

/** A port for each name: the one of last time when it is free, so that nothing needs to learn a new address. */
export async function rememberPorts<N extends string>(file: string, names: readonly N[]): Promise<Record<N, number>> {
  const before = remembered(file);
  const chosen: Record<string, number> = {};
  for (const name of names) chosen[name] = await choose(before[name], new Set(Object.values(chosen)));
  replaceFile(file, `${JSON.stringify({ ...before, ...chosen })}\n`);
  return chosen;
}

function remembered(file: string): Readonly<Record<string, number>> {
  try {
    return Remembered.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Missing or damaged: ports are only a convenience, new ones do as well.
    return {};
  }
}

async function choose(wish: number | undefined, used: ReadonlySet<number>): Promise<number> {
  for (let port = wish ?? randomInt(FIRST, LAST); ; port = randomInt(FIRST, LAST)) {
    if (!used.has(port) && (await obstacleAt(port)) === undefined) return port;
  }
}
