import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { messageOf, Unavailable } from '#platform';
import type { ClusterRecord } from './cluster-record.js';
import { ListedProcess } from './listed-process.js';
import { LOOPBACK } from './ports.js';

/** What the supervisor can be asked by those who can read the data folder, where the token lies. */
export interface Controls {
  list(): readonly ListedProcess[];
  stop(): void;
}

export async function serveControl(token: string, controls: Controls): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
    if (!isAuthorized(request, token)) return void answer(401, { title: 'The token is wrong' });
    if (request.method === 'GET' && request.url === '/processes') return void answer(200, controls.list());
    if (request.method !== 'POST' || request.url !== '/stop') return void answer(404, { title: 'Not found' });
    answer(202, { stopping: true });
    controls.stop();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, LOOPBACK, resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

function isAuthorized(request: IncomingMessage, token: string): boolean {
  const [given, right] = [request.headers.authorization ?? '', `Bearer ${token}`].map((text) => Buffer.from(text));
  return given !== undefined && right !== undefined && given.length === right.length && timingSafeEqual(given, right);
}

const ANSWER_MS = 5_000;

/** Asks the supervisor for its processes. @throws Unavailable when it does not answer. */
export const askProcesses = async (record: ClusterRecord): Promise<readonly ListedProcess[]> =>
  z.array(ListedProcess).parse(await ask(record, 'GET', '/processes'));

/** Asks the supervisor to stop everything. @throws Unavailable when it does not answer. */
export const askToStop = async (record: ClusterRecord): Promise<void> => void (await ask(record, 'POST', '/stop'));

async function ask({ control }: ClusterRecord, method: string, path: string): Promise<unknown> {
  try {
    const response = await fetch(`http://${LOOPBACK}:${control.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${control.token}` },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return await response.json();
  } catch (error) {
    throw new Unavailable(`The cluster's supervisor does not answer: ${messageOf(error)}.`, { cause: error });
  }
}
