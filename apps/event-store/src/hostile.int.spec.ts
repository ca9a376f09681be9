import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import fc from 'fast-check';
import { frame } from './grpc/framing.js';
import { type EmbeddedEventStore, startEventStore } from './start.js';

const SERVICE = '/event_store.client.streams.Streams';
const METHODS = ['Read', 'Append', 'BatchAppend', 'Delete', 'Tombstone', 'Nothing'];

let server: EmbeddedEventStore;
beforeAll(async () => {
  server = await startEventStore();
});
afterAll(() => server.stop());

async function serves(): Promise<void> {
  const client = EventStoreDBClient.connectionString(server.connectionString);
  await client.appendToStream('alive', jsonEvent({ type: 'Alive', data: {} }));
  await client.dispose();
}

/** Sends bytes as a call and waits for its end, whatever that is. */
async function call(path: string, body: Uint8Array): Promise<void> {
  const session = connectHttp2(`http://127.0.0.1:${server.port}`);
  session.on('error', () => undefined);
  const request = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  await new Promise<void>((resolve) => {
    request.on('error', () => undefined);
    request.once('close', resolve);
    request.once('trailers', resolve);
    request.once('response', (headers) => headers['grpc-status'] !== undefined && resolve());
    request.resume();
    request.end(body);
  });
  session.destroy();
}

describe('hostile input', () => {
  it('of any bytes, framed or not, does not bring the server down', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const property = fc.asyncProperty(fc.constantFrom(...METHODS), bytes, fc.boolean(), (name, body, framed) =>
      call(`${SERVICE}/${name}`, framed ? frame(body) : body),
    );
    await fc.assert(property, { numRuns: 300 });
    await serves();
  });

  it('that is no HTTP at all is cut off', async () => {
    for (const text of [
      'PRI nonsense\r\n\r\n',
      'P',
      '\0\0\0\0',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff',
      'GET',
    ])
      await new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => socket.end(text));
        socket.on('error', () => undefined);
        socket.once('close', () => resolve());
        socket.resume();
      });
    await serves();
  });

  it('calls that are cancelled at any moment leave nothing behind', async () => {
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    const started = Array.from({ length: 100 }, (_, n) => {
      const path = `${SERVICE}/${METHODS[n % METHODS.length]}`;
      const request = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      request.on('error', () => undefined);
      request.write(Buffer.from([0, 0, 0, 0, 9, 1]));
      request.close(constants.NGHTTP2_CANCEL);
      return new Promise((resolve) => request.once('close', resolve));
    });
    await Promise.all(started);
    session.destroy();
    await serves();
  });

  it('in names is told apart, not confused', async () => {
    const client = EventStoreDBClient.connectionString(server.connectionString);
    const one = jsonEvent({ type: 'Named', data: {} });
    for (const name of ['x'.repeat(10_000), "'; DROP TABLE events; --", '\u{10ffff}', '%41', ' '])
      await client.appendToStream(name, jsonEvent({ type: name, data: {} }), { expectedRevision: 'no_stream' });
    await expect(client.appendToStream('$all', one)).rejects.toMatchObject({ type: 'access-denied' });
    await expect(client.appendToStream('', one)).rejects.toThrow(/no name/);
    // SQLite ends a text at a NUL: such a name would be taken for what stands before it.
    await expect(client.appendToStream('a\0b', one)).rejects.toThrow(/NUL/);
    await expect(client.appendToStream('a', jsonEvent({ type: 'b\0c', data: {} }))).rejects.toThrow(/NUL/);
    await client.dispose();
    await serves();
  });
});
