import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Logger, messageOf, newId } from '#platform';
import { answerTo, seedOf } from './answer.js';
import { ApiError, errorBody, invalid } from './api-error.js';
import { checkHeaders, simulateSpecOf } from './headers-check.js';
import { checkRequest, type Endpoint } from './request-check.js';
import { sendJson, sendMessage, streamMessage } from './send.js';
import { inputTokens } from './token-count.js';

/** The API's own limit for a request. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Room for a long command in the header that says what to play. */
const MAX_HEADER_BYTES = 256 * 1024;
/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 65_000;

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map([
  ['/v1/messages', 'messages'],
  ['/v1/messages/count_tokens', 'count_tokens'],
]);

/** The Messages API over HTTP; not yet listening. */
export function createSimulatorServer(logger: Logger): Server {
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    const requestId = `req_${newId()}`;
    readBody(request)
      .then((written) => handle(request, response, written, requestId))
      .catch((error: unknown) => refuse(response, error, requestId, logger));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

function handle(request: IncomingMessage, response: ServerResponse, written: string, requestId: string): void {
  const endpoint = endpointOf(request);
  const version = checkHeaders(request.headers);
  const body = checkRequest(parsed(written), endpoint, version);
  if (endpoint === 'count_tokens') return sendJson(response, 200, { input_tokens: inputTokens(body) }, requestId);
  const spec = simulateSpecOf(request.headers);
  const answer = answerTo(body, spec, seedOf(written, spec));
  const send = body.stream === true ? streamMessage : sendMessage;
  send(response, answer, spec.thinkMs, requestId);
}

function endpointOf({ url = '', method }: IncomingMessage): Endpoint {
  const path = url.split('?', 1)[0] ?? '';
  const endpoint = ENDPOINTS.get(path);
  if (endpoint === undefined) {
    throw new ApiError(
      404,
      'not_found_error',
      `${path}: the model simulator has only ${[...ENDPOINTS.keys()].join(' and ')}`,
    );
  }
  if (method !== 'POST') throw new ApiError(405, 'invalid_request_error', `${path}: use POST`);
  return endpoint;
}

function parsed(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch (error) {
    throw invalid(`The request body is not valid JSON: ${messageOf(error)}`);
  }
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    });
    request.once('error', reject);
    request.once('end', () => {
      if (bytes <= MAX_BODY_BYTES) resolve(Buffer.concat(chunks).toString());
      else reject(new ApiError(413, 'request_too_large', 'Request exceeds the maximum size of 32 MB'));
    });
  });
}

function refuse(response: ServerResponse, error: unknown, requestId: string, logger: Logger): void {
  if (response.destroyed) return;
  const refusal =
    error instanceof ApiError ? error : new ApiError(500, 'api_error', `Internal error: ${messageOf(error)}`);
  const { status, message } = refusal;
  if (status >= 500) logger.error({ requestId, error }, 'a request failed');
  else logger.info({ requestId, status, message }, 'refused a request');
  sendJson(response, status, errorBody(refusal, requestId), requestId);
}
