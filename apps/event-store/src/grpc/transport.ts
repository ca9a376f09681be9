import { createServer as createHttpServer } from 'node:http';
import {
  createServer as createHttp2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Misconfigured, messageOf } from '#platform';
import { ANONYMOUS } from '../access/access.js';
import type { Authenticate } from '../access/authentication.js';
import type { Certificate } from '../access/certificate.js';
import { type Answering, answer } from '../http/answer.js';
import { Call, type Caller } from './call.js';
import type { Handlers } from './handlers.js';
import { Patience } from './patience.js';
import { Refusal, Status } from './refusal.js';

export interface TransportOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: Certificate | undefined;
  readonly handlers: Handlers;
  readonly authenticate: Authenticate;
  readonly http: Answering;
  /** How long a client may take (ms) to say what it wants; six times as long for a whole message. Absent: 10 s. */
  readonly patienceMs?: number | undefined;
}

export interface Transport {
  readonly port: number;
  readonly connections: () => number;
  /** Stops taking connections; what is open has this long (ms) to end by itself. */
  close(graceMs: number): Promise<void>;
}

/** For the TLS handshake, the first bytes, the head of a request. */
const PATIENCE_MS = 10_000;
const MIB = 1024 * 1024;

/** gRPC and pages on one port: HTTP/2 begins with `PRI `, or is agreed upon in the TLS handshake. */
export async function listen(options: TransportOptions): Promise<Transport> {
  const { patienceMs = PATIENCE_MS } = options;
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const patience = new Patience(patienceMs);
  const http = createHttpServer((request, response) => {
    patience.pause(request.socket, response);
    answer(request, response, options.http);
  });
  const http2 = createHttp2Server({
    settings: { initialWindowSize: MIB, maxConcurrentStreams: 10_000, maxHeaderListSize: 64 * 1024 },
    maxSessionMemory: 64,
  });
  http2.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(4 * MIB);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  http2.on('sessionError', () => undefined);
  http2.on('stream', (stream: ServerHttp2Stream, headers) => accept(stream, headers, options));
  const take = (socket: Socket, isHttp2: boolean) => {
    if (!isHttp2) patience.begin(socket);
    (isHttp2 ? http2 : http).emit('connection', socket);
  };
  const server = options.tls
    ? createTlsServer({ ...options.tls, ALPNProtocols: ['h2', 'http/1.1'], handshakeTimeout: patienceMs }, (socket) =>
        take(socket, socket.alpnProtocol === 'h2'),
      )
    : createServer({ noDelay: true }, (socket) => sniff(socket, patienceMs, take));
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (_, socket) => socket.destroy());
  const port = await bind(server, options);
  return {
    port,
    connections: () => sockets.size,
    close: (graceMs) => close(server, { sockets, sessions, graceMs }),
  };
}

function accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: TransportOptions): void {
  stream.on('error', () => undefined);
  if (!String(headers['content-type']).startsWith('application/grpc')) {
    answer(new Http2ServerRequest(stream, headers, {}, []), new Http2ServerResponse(stream), options.http);
    return;
  }
  const refuse = (error: unknown) => new Call(stream, headers, ANONYMOUS, 0).fail(error);
  try {
    const caller = options.authenticate(headers.authorization);
    if (caller instanceof Promise) caller.then((found) => serve(stream, headers, found, options), refuse);
    else serve(stream, headers, caller, options);
  } catch (error) {
    refuse(error);
  }
}

function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  caller: Caller,
  { handlers, patienceMs = PATIENCE_MS }: TransportOptions,
): void {
  const call = new Call(stream, headers, caller, 6 * patienceMs);
  const path = String(headers[':path']);
  try {
    const handler = handlers.get(path.toLowerCase());
    if (!handler) throw notServed(path);
    handler(call);
  } catch (error) {
    call.fail(error);
  }
}

const notServed = (path: string): Refusal =>
  new Refusal(
    Status.UNIMPLEMENTED,
    `${path.slice(0, 200)} is not served here: projections, clustering and AtomPub are out of scope of this server.`,
  );

function sniff(socket: Socket, patienceMs: number, take: (socket: Socket, isHttp2: boolean) => void): void {
  socket.setTimeout(patienceMs, () => socket.destroy());
  const look = () => {
    const head = socket.read() as Buffer | null;
    if (head === null) return;
    socket.off('readable', look);
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    socket.unshift(head);
    take(socket, /^PR?$|^PRI/.test(head.toString('latin1', 0, 3)));
  };
  socket.on('readable', look);
}

async function bind(server: Server, { host, port }: TransportOptions): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, 1024, resolve));
  } catch (error) {
    throw new Misconfigured(bindingRefused(error, host, port));
  }
  server.on('error', () => undefined);
  return (server.address() as AddressInfo).port;
}

function bindingRefused(error: unknown, host: string, port: number): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return `Port ${port} of ${host} is taken by another program: stop it, or choose another port.`;
    case 'EACCES':
      return `Port ${port} of ${host} is not ours to use: choose one above 1023.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: choose another host.`;
    default:
      return `The server cannot listen on ${host}:${port} (${messageOf(error)}): choose another host or port.`;
  }
}

interface Open {
  readonly sockets: ReadonlySet<Socket>;
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  readonly graceMs: number;
}

async function close(server: Server, { sockets, sessions, graceMs }: Open): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const session of sessions) session.close();
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}
