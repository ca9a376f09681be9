import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RunId } from '#contracts';
import { newId } from '#platform';
import { follow } from './follow.js';
import { Http } from './http.js';

const run = RunId.parse(newId());
const metadata = {
  tenant: 'default',
  correlationId: run,
  actor: { kind: 'service', id: 'test' },
  schemaVersion: 1,
};
const view = (revision: number) => ({
  run,
  revision,
  position: String(revision),
  type: 'Noted',
  data: {},
  metadata,
});
const sent = (...revisions: readonly number[]): string =>
  revisions.map((revision) => `id: ${revision}\ndata: ${JSON.stringify(view(revision))}\n\n`).join('');
const END = 'event: end\ndata: {}\n\n';

let server: Server;
const asked: string[] = [];

/** A gateway whose answers are given, one for each connection. */
async function gateway(...answers: readonly RequestListener[]): Promise<Http> {
  const left = [...answers];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    left.shift()?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new Http({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'key' });
}

const stream =
  (text: string, cut: boolean): RequestListener =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => (cut ? response.destroy() : response.end()));
  };
const refuse =
  (status: number, code: string): RequestListener =>
  (_, response) =>
    response
      .writeHead(status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify({ type: `urn:baton:problem:${code}`, title: code, status, code, detail: `It is ${code}.` }));

async function followed(http: Http, from = 0, onLost?: (why: string) => void): Promise<number[]> {
  const revisions: number[] = [];
  const signal = AbortSignal.timeout(20_000);
  for await (const event of follow(http, run, { from, signal, ...(onLost ? { onLost } : {}) })) {
    revisions.push(event.revision);
  }
  return revisions;
}

afterEach(async () => {
  asked.length = 0;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('following a run', () => {
  it('ends with the run', async () => {
    expect(await followed(await gateway(stream(sent(0, 1) + END, false)))).toEqual([0, 1]);
  });

  it('comes back after every cut to the event that it lacks, and tells of each cut once', async () => {
    const lost: string[] = [];
    const cuts = [stream(sent(0, 1), true), stream(sent(2), true), refuse(503, 'unavailable'), stream('', true)];
    const http = await gateway(...cuts, stream(sent(3) + END, false));
    expect(await followed(http, 0, (why) => lost.push(why))).toEqual([0, 1, 2, 3]);
    expect(asked.map((url) => url.split('from=')[1])).toEqual(['0', '2', '3', '3', '3']);
    expect(lost).toHaveLength(2);
  });

  it('leaves out an event that was cut in the middle, and asks for it again', async () => {
    const http = await gateway(stream(sent(0) + sent(1).slice(0, 30), true), stream(sent(1) + END, false));
    expect(await followed(http)).toEqual([0, 1]);
  });

  it('comes back when the gateway says goodbye', async () => {
    const goodbye = 'event: goodbye\ndata: {}\n\n';
    expect(await followed(await gateway(stream(sent(4) + goodbye, false), stream(END, false)), 4)).toEqual([4]);
    expect(asked.map((url) => url.split('from=')[1])).toEqual(['4', '5']);
  });

  it('gives up at once when the gateway will never answer it', async () => {
    await expect(followed(await gateway(refuse(404, 'not-found')))).rejects.toMatchObject({ code: 'not-found' });
    expect(asked).toHaveLength(1);
  });
});
