import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from './errors.js';

/** A named question about something the service needs; rejects or answers with the reason why not. */
export type HealthCheck = { readonly name: string; readonly check: () => Promise<void> };

/** What is wrong now, by name; empty when the service can do its work. */
export async function failing(checks: readonly HealthCheck[]): Promise<Record<string, string>> {
  const answers = await Promise.all(
    checks.map(async ({ name, check }) => {
      try {
        await check();
        return [];
      } catch (error) {
        return [[name, messageOf(error)]];
      }
    }),
  );
  return Object.fromEntries(answers.flat());
}

/** Serves `/health/live` (the process turns) and `/health/ready` (what it needs answers). Port 0 lets the system choose. */
export async function serveHealth(
  port: number,
  host: string,
  checks: readonly HealthCheck[],
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/health/live') return void answer(200, { live: true });
    if (request.url !== '/health/ready') return void answer(404, { title: 'Not found' });
    return void failing(checks).then((problems) =>
      answer(Object.keys(problems).length === 0 ? 200 : 503, { ready: Object.keys(problems).length === 0, problems }),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  server.unref();
  return { server, port: (server.address() as AddressInfo).port };
}
