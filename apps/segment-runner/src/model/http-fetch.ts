import { once } from 'node:events';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';

type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * A `fetch` over node:http for the SDK, with connections that are kept open: it takes half the processor time of the
 * built-in one. A response that is fine streams: its body is the iterable that came from the socket.
 */
export function createHttpFetch(): Fetch {
  const agents = { 'http:': new HttpAgent({ keepAlive: true }), 'https:': new HttpsAgent({ keepAlive: true }) };
  return async (address, init = {}) => {
    const url = new URL(address instanceof Request ? address.url : address);
    const incoming = await send(url, init, url.protocol === 'https:' ? agents['https:'] : agents['http:']);
    const { statusCode: status = 0, headers } = incoming;
    const known = {
      status,
      headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    };
    if (status !== 200) return new Response((await text(incoming)) || null, known);
    return Object.defineProperty(new Response(null, known), 'body', { value: incoming });
  };
}

async function send(url: URL, init: RequestInit, agent: HttpAgent): Promise<IncomingMessage> {
  const ask = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const { method = 'GET', signal, body } = init;
  const headers = Object.fromEntries(new Headers(init.headers));
  const request = ask(url, { agent, method, headers, ...(signal ? { signal } : {}) });
  // Once the response has begun, it tells its reader itself of what goes wrong.
  request.on('error', () => undefined);
  try {
    request.end(body);
    const [incoming] = (await once(request, 'response')) as [IncomingMessage];
    return incoming;
  } catch (error) {
    // The other side closed the idle connection just as it was taken again: nobody has answered the request.
    if (request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET') return send(url, init, agent);
    throw error;
  }
}
