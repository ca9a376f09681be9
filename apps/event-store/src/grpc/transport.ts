import { createServer as createHttpServer, type RequestListener } from 'node:http';
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Misconfigured, messageOf } from '#platform';
import { Call, type Caller } from './call.js';
import type { Handlers } from './handlers.js';
import { Refusal, Status } from './refusal.js';

export interface TransportOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly handlers: Handlers;
  /** Who calls, by the call's headers. @throws Refusal */
  readonly authenticate: (headers: IncomingHttpHeaders) => Caller;
  readonly http: RequestListener;
}

export interface Transport {
  readonly port: number;
  readonly connections: () => number;
  /** Stops taking connections; what is open has this long (ms) to end by itself. */
  close(graceMs: number): Promise<void>;
}

/** A connection that says nothing for this long is closed. */
const SILENCE_MS = 10_000;
const MIB = 1024 * 1024;

/** gRPC and HTTP/1.1 on one port: HTTP/2 begins with `PRI `, or is agreed upon in the TLS handshake. */
export async function listen(options: TransportOptions): Promise<Transport> {
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const http = createHttpServer(options.http);
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
  const server = options.tls
    ? createTlsServer({ ...options.tls, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) =>
        (socket.alpnProtocol === 'h2' ? http2 : http).emit('connection', socket),
      )
    : createServer({ noDelay: true }, (socket) =>
        sniff(socket, (h2) => (h2 ? http2 : http).emit('connection', socket)),
      );
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
  if (headers[':method'] !== 'POST' || !String(headers['content-type']).startsWith('application/grpc')) {
    stream.respond({ ':status': 415 }, { endStream: true });
    return;
  }
  let caller: Caller;
  try {
    caller = options.authenticate(headers);
  } catch (error) {
    new Call(stream, headers, { name: '', roles: new Set() }).fail(error);
    return;
  }
  const call = new Call(stream, headers, caller);
  const path = String(headers[':path']);
  const handler = options.handlers.get(path.toLowerCase());
  if (handler) handler(call);
  else
    call.fail(
      new Refusal(
        Status.UNIMPLEMENTED,
        `${path} is not served here: projections, clustering and AtomPub are out of scope.`,
      ),
    );
}

function sniff(socket: Socket, decide: (http2: boolean) => void): void {
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  const look = () => {
    const head = socket.read() as Buffer | null;
    if (head === null) return;
    socket.off('readable', look);
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    socket.unshift(head);
    decide(head[0] === 'P'.charCodeAt(0) && head[1] !== 'O'.charCodeAt(0) && head[1] !== 'U'.charCodeAt(0));
  };
  socket.on('readable', look);
}

async function bind(server: Server, { host, port }: TransportOptions): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, 1024, resolve));
  } catch (error) {
    throw new Misconfigured(`The server cannot listen on ${host}:${port} (${messageOf(error)}): choose another port.`);
  }
  server.on('error', () => undefined);
  return (server.address() as AddressInfo).port;
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
