import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** What the server answers to a browser or a health check. */
export function pages(stats: () => object): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    response.on('error', () => undefined);
    const path = (request.url ?? '/').split('?')[0];
    if (path === '/health/live') {
      response.writeHead(204).end();
      return;
    }
    if (path === '/ping') return json(response, 200, { msgType: 'text', text: 'Ping request successfully handled' });
    if (path === '/stats') return json(response, 200, stats());
    return json(response, 404, {
      title: 'Not found',
      detail: 'This port speaks gRPC; over HTTP it answers /health/live, /ping and /stats.',
    });
  };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
