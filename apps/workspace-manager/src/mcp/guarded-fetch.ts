import type { IncomingMessage } from 'node:http';
import { Readable, Transform } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { NoAnswer } from '../network/errors.js';
import { type Reach, sendOnce } from '../network/request.js';

/** What one answer of a server may come to, in bytes. */
const MOST_BYTES = 16 * 1024 * 1024;
const WITHOUT_BODY = [204, 205, 304];

/**
 * `fetch` for an MCP server, under the rules for addresses. `headers` is asked at every request, so that a secret that was
 * replaced is used from then on. Redirects are answered as they are: the client follows those within the origin.
 */
export function guardedFetch(reach: Reach, headers: () => Record<string, string>): FetchLike {
  return async (target, { method = 'GET', body, headers: given, signal } = {}) => {
    if (body && typeof body !== 'string') throw new NoAnswer('Only text is sent to MCP servers.', false);
    const out = {
      method,
      headers: { ...Object.fromEntries(new Headers(given)), 'accept-encoding': 'identity', ...headers() },
      body: body || undefined,
      signal: signal ?? new AbortController().signal,
    };
    return responseOf(await sendOnce(new URL(target), out, reach));
  };
}

function responseOf(answer: IncomingMessage): Response {
  const { statusCode: status = 0, statusMessage: statusText = '' } = answer;
  if (status < 200 || status > 599) throw new NoAnswer(`The server answered with the status ${status}.`, true);
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  if (WITHOUT_BODY.includes(status)) {
    answer.resume();
    return new Response(null, { status, statusText, headers });
  }
  const limited = answer.pipe(limit());
  answer.on('error', (error) => limited.destroy(error));
  limited.on('close', () => answer.destroy());
  return new Response(Readable.toWeb(limited) as ReadableStream<Uint8Array>, { status, statusText, headers });
}

function limit(): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES) pass(new Error(`the answer is longer than ${MOST_BYTES} bytes`));
      else pass(null, chunk);
    },
  });
}
