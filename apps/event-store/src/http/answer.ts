import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { messageOf } from '#platform';

/** A request as the pages see it, whichever HTTP it came by. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The name or address, with its port, by which the client found the server. */
  readonly host: string;
  readonly authorization: string | undefined;
  /** Where the page comes from that a browser asks for; absent when nobody but a person or a program asks. */
  readonly origin: string | undefined;
  /** Whether the client is on the machine of the server. */
  readonly fromThisMachine: boolean;
  /** The body as text, up to 64 KiB of it. */
  readonly body: () => Promise<string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Answering = (asked: Asked) => Answer | Promise<Answer>;

export const json = (status: number, body: object): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
});

/** What went wrong, as RFC 9457 writes it down. */
export const problem = (status: number, title: string, detail: string): Answer => ({
  status,
  headers: { 'content-type': 'application/problem+json; charset=utf-8' },
  body: JSON.stringify({ title, status, detail }),
});

/** Answers one request over HTTP/1.1 or HTTP/2. */
export function answer(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  answering: Answering,
): void {
  request.on('error', () => undefined);
  const send = ({ status, headers, body }: Answer) =>
    write(response, request.method === 'HEAD', { status, headers, body });
  const fail = (error: unknown) => send(problem(500, 'The request failed', messageOf(error)));
  response.on('error', () => undefined);
  new Promise<Asked>((resolve) => resolve(asked(request, bodyOf(request)))).then(answering).then(send).catch(fail);
}

function write(response: ServerResponse | Http2ServerResponse, head: boolean, { status, headers, body }: Answer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  if (status !== 204) response.setHeader('content-length', String(Buffer.byteLength(body)));
  response.end(head ? '' : body);
}

const LONGEST_BODY = 64 * 1024;

/** Collects the body from the first moment on, though nobody may ever ask for it: the connection has to go on. */
function bodyOf(request: IncomingMessage | Http2ServerRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let left = LONGEST_BODY;
  request.on('data', (chunk: Buffer) => {
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  });
  return new Promise((resolve) => {
    const done = () => resolve(Buffer.concat(chunks).toString('utf8'));
    request.once('end', done).once('close', done);
  });
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

function asked(request: IncomingMessage | Http2ServerRequest, body: Promise<string>): Asked {
  const { method = 'GET', url = '/', headers, socket } = request;
  const [path = '/', ...query] = url.split('?');
  return {
    method,
    path,
    query: new URLSearchParams(query.join('?')),
    host: String(headers[':authority'] ?? headers.host ?? ''),
    authorization: headers.authorization,
    origin: headers.origin,
    fromThisMachine: LOOPBACK.test(socket.remoteAddress ?? ''),
    body: () => body,
  };
}
