import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { WebSocketServer } from 'ws';
import { ApiKeys, bearerOf } from '../http/api-key.js';
import { answerTo } from '../http/problem.filter.js';
import { ApiProblem, problemBody } from '../http/problems.js';
import { LIVE_PARTS } from '../tokens.js';
import { LiveConnection, type LiveParts } from './live-connection.js';
import { Viewers } from './viewers.js';

const MOST_FRAME_BYTES = 64_000;

/** The WebSocket `/v1/live`. Browsers cannot send a header with it, so the key may come as `?key=`. */
@Injectable()
export class LiveServer {
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_FRAME_BYTES });

  constructor(
    @Inject(ApiKeys) private readonly keys: ApiKeys,
    @Inject(Viewers) private readonly viewers: Viewers,
    @Inject(LIVE_PARTS) private readonly parts: LiveParts,
  ) {}

  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      try {
        this.admit(request);
        this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.welcome(webSocket));
      } catch (error) {
        refuse(socket, error);
      }
    });
  }

  private admit(request: IncomingMessage): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://gateway');
    if (pathname !== '/v1/live') throw new ApiProblem(404, 'not-found', 'The WebSocket is at /v1/live.');
    this.keys.check(bearerOf(request) ?? searchParams.get('key') ?? undefined);
  }

  private welcome(webSocket: ConstructorParameters<typeof LiveConnection>[0]): void {
    const connection = new LiveConnection(webSocket, this.parts);
    try {
      webSocket.once(
        'close',
        this.viewers.enter(() => connection.goodbye()),
      );
    } catch {
      connection.goodbye();
    }
  }
}

function refuse(socket: Duplex, error: unknown): void {
  const { status, code, detail, headers } = answerTo(error);
  const body = JSON.stringify(problemBody(status, code, detail));
  const lines = Object.entries({
    ...headers,
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
}
