import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Logger, messageOf, newId } from '#platform';
import { ApiError, errorBody, invalid } from './api-error.js';
import { faultsEndpoint } from './fault-orders.js';
import { ArmedFaults } from './faults.js';
import { type Incoming, MessagesApi } from './messages-api.js';
import { sendJson } from './send.js';

/** The API's own limit for a request. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Room for a long script in the header that says what to play. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 65_000;

type Endpoint = (incoming: Incoming, response: ServerResponse) => void;

/** The Messages API over HTTP, and the orders for faults beside it; not yet listening. */
export function createSimulatorServer(logger: Logger): Server {
  const armed = new ArmedFaults();
  const api = new MessagesApi(armed);
  const endpoints: Readonly<Record<string, Readonly<Record<string, Endpoint>>>> = {
    '/v1/messages': { POST: (incoming, response) => api.message(incoming, response) },
    '/v1/messages/count_tokens': { POST: (incoming, response) => api.countTokens(incoming, response) },
    '/simulator/faults': faultsEndpoint(armed),
  };
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    const requestId = `req_${newId()}`;
    const handle = async (): Promise<void> => {
      const written = await readBody(request);
      const endpoint = endpointOf(request, endpoints);
      const body = request.method === 'POST' ? parsed(written) : undefined;
      endpoint({ headers: request.headers, body, written, requestId }, response);
    };
    handle().catch((error: unknown) => refuse(response, error, requestId, logger));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

function endpointOf(
  { url = '', method = '' }: IncomingMessage,
  endpoints: Readonly<Record<string, Readonly<Record<string, Endpoint>>>>,
): Endpoint {
  const path = url.split('?', 1)[0] ?? '';
  const methods = Object.hasOwn(endpoints, path) ? endpoints[path] : undefined;
  if (methods === undefined) {
    const paths = Object.keys(endpoints).join(', ');
    throw new ApiError(404, 'not_found_error', `${path}: the model simulator has only ${paths}`);
  }
  const endpoint = methods[method];
  if (endpoint !== undefined) return endpoint;
  throw new ApiError(405, 'invalid_request_error', `${path}: use ${Object.keys(methods).join(' or ')}`);
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
  const isRefusal = error instanceof ApiError;
  const refusal = isRefusal ? error : new ApiError(500, 'api_error', `Internal error: ${messageOf(error)}`);
  const { status, message, headers } = refusal;
  if (isRefusal) logger.info({ requestId, status, message }, 'refused a request');
  else logger.error({ requestId, error }, 'a request failed');
  sendJson(response, status, errorBody(refusal, requestId), { ...headers, 'request-id': requestId });
}
