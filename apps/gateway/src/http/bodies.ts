import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiProblem } from './problems.js';

/** The largest JSON body, in bytes. */
const MOST_JSON_BYTES = 20_000_000;

/**
 * Reads a whole body; called by a route after the caller is known, so a stranger can send nothing large.
 * @throws ApiProblem 413 as soon as it is too large, 415 when it is compressed
 */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  if (request.headers['content-encoding'] !== undefined) {
    throw new ApiProblem(415, 'encoding-unsupported', 'Send the body as it is, without Content-Encoding.');
  }
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge(request, most);
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > most) throw tooLarge(request, most);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** @throws ApiProblem 400 `invalid-json`, 413 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, MOST_JSON_BYTES);
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unreadable';
    throw new ApiProblem(400, 'invalid-json', `The body is not JSON: ${why}.`);
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** What is still to come is thrown away, so that the caller can read the answer; then the connection ends. */
function tooLarge(request: IncomingMessage, most: number): ApiProblem {
  request.resume();
  return new ApiProblem(413, 'body-too-large', `The body is larger than ${most / 1_000_000} MB.`, {
    headers: { connection: 'close' },
  });
}
