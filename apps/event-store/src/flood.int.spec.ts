import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2, constants, type IncomingHttpHeaders } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import fc from 'fast-check';
import { type ServerProcess, startServerProcess } from '../test/server-process.js';
import { frame } from './grpc/framing.js';
import { methodOf } from './protocol/codec.js';
import { type EmbeddedEventStore, startEventStore } from './start.js';

const STREAMS = 'event_store.client.streams.Streams';
const MIB = 1024 * 1024;

let folder: string;
let server: ServerProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'event-store-flood-'));
  server = await startServerProcess(folder);
});
afterAll(async () => {
  const code = await server.terminate();
  rmSync(folder, { recursive: true });
  if (code !== 0) throw new Error(`the server ended with exit code ${code}`);
});
afterEach(async () => {
  if (server.child.exitCode !== null) throw new Error('the server has ended');
  await othersAreServed();
});

/** An application that behaves is served within its own deadline, whatever others do. */
async function othersAreServed(): Promise<void> {
  const client = EventStoreDBClient.connectionString(server.connectionString);
  await client.appendToStream('others', jsonEvent({ type: 'Served', data: {} }), { deadline: 10_000 });
  for await (const { event } of client.readStream('others', { maxCount: 1 })) expect(event?.type).toBe('Served');
  await client.dispose();
}

const memoryOf = (pid = 0): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

async function session(): Promise<ClientHttp2Session> {
  const made = connectHttp2(`http://127.0.0.1:${server.port}`);
  made.on('error', () => undefined);
  await new Promise((resolve) => made.once('connect', resolve));
  return made;
}

const headers = (name: string) => ({
  ':method': 'POST',
  ':path': `/${STREAMS}/${name}`,
  'content-type': 'application/grpc',
  te: 'trailers',
});

/** Sends bytes as one call; resolves with the status when it is over, whatever it is. */
function call(on: ClientHttp2Session, name: string, body: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const request = on.request(headers(name));
    let status = 'closed';
    const see = ({ 'grpc-status': found }: IncomingHttpHeaders) => {
      if (typeof found === 'string') status = found;
    };
    request.on('error', () => undefined);
    request.on('response', see);
    request.on('trailers', see);
    request.once('close', () => resolve(status));
    request.resume();
    request.end(body);
  });
}

const encoded = (name: string, message: object): Buffer =>
  methodOf<object, object>(STREAMS, name).request.encode(message);
const options = { streamIdentifier: { streamName: Buffer.from('fuzzed') } };
const proposed = {
  id: { string: '0198a6a2-0000-4000-8000-000000000001' },
  metadata: { type: 'Fuzzed', 'content-type': 'application/json' },
  data: Buffer.from('{}'),
};
const VALID: readonly (readonly [string, Buffer])[] = [
  [
    'Read',
    encoded('Read', { options: { stream: { ...options, start: {} }, count: '10', uuidOption: { string: {} } } }),
  ],
  ['Read', encoded('Read', { options: { all: { start: {} }, count: '3', filter: { eventType: { regex: '^F' } } } })],
  ['Append', encoded('Append', { options: { ...options, any: {} } })],
  ['Append', encoded('Append', { proposedMessage: proposed })],
  [
    'BatchAppend',
    encoded('BatchAppend', {
      correlationId: { string: '0198a6a2-0000-4000-8000-000000000002' },
      options: { ...options, any: {} },
      proposedMessages: [proposed],
      isFinal: true,
    }),
  ],
  ['Delete', encoded('Delete', { options: { ...options, revision: '7' } })],
  ['Tombstone', encoded('Tombstone', { options: { ...options, revision: '7' } })],
];

describe('whoever floods the server', () => {
  it('with messages that are valid but for some bytes gets an answer to each', async () => {
    const on = await session();
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(
      fc.constantFrom(...VALID),
      damage,
      fc.nat(),
      async ([name, valid], wounds, cut) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of wounds) bytes[at % bytes.length] = value;
        const status = await call(on, name, frame(cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes));
        expect(status).toMatch(/^(0|3|5|8|9|12)$/);
      },
    );
    await fc.assert(property, { seed: 5, numRuns: 250 });
    on.destroy();
  });

  it('with halves of large messages holds up nobody, and no memory once it is gone', async () => {
    const before = memoryOf(server.child.pid);
    const sessions = await Promise.all(Array.from({ length: 10 }, session));
    const half = Buffer.alloc(100_000);
    half.writeUInt32BE(16 * MIB, 1);
    for (const on of sessions) {
      for (let n = 0; n < 20; n += 1) {
        const request = on.request(headers(n % 2 ? 'BatchAppend' : 'Append'));
        request.on('error', () => undefined);
        request.write(half);
      }
    }
    await othersAreServed();
    for (const on of sessions) on.destroy();
    await memoryReturns(before);
  });

  it('with an append that never ends is cut off', async () => {
    const frames = Array.from({ length: 140 }, (_, n) =>
      frame(
        encoded('BatchAppend', {
          correlationId: { string: `0198a6a2-0000-4000-8000-${String(n).padStart(12, '0')}` },
          options: { ...options, any: {}, deadline: { seconds: '60' } },
          proposedMessages: [{ ...proposed, data: Buffer.alloc(500_000) }],
          isFinal: false,
        }),
      ),
    );
    const on = await session();
    expect(await call(on, 'BatchAppend', Buffer.concat(frames))).toBe('8');
    on.destroy();
  });

  it('with appends that are begun, or refused, and never ended is cut off', async () => {
    const begun = { options: { ...options, any: {}, deadline: { seconds: '60' } }, proposedMessages: [] };
    for (const frameOf of [begun, { proposedMessages: [] }]) {
      const frames = Array.from({ length: 10_001 }, (_, n) => {
        const correlationId = { string: `0198a6a2-0000-4000-8000-${String(n).padStart(12, '0')}` };
        return frame(encoded('BatchAppend', { correlationId, ...frameOf, isFinal: false }));
      });
      const on = await session();
      expect(await call(on, 'BatchAppend', Buffer.concat(frames))).toBe('8');
      on.destroy();
    }
  });

  it('with names as large as a message is answered, also where the name would be in the answer', async () => {
    const on = await session();
    const long = { streamIdentifier: { streamName: Buffer.from('ü'.repeat(500_000)) } };
    const read = { options: { stream: { ...long, start: {} }, count: '1', uuidOption: { string: {} } } };
    expect(await call(on, 'Tombstone', frame(encoded('Tombstone', { options: { ...long, any: {} } })))).toBe('0');
    expect(await call(on, 'Read', frame(encoded('Read', read)))).toBe('9');
    expect(await call(on, 'Tombstone', frame(encoded('Tombstone', { options: { ...long, revision: '3' } })))).toBe('9');
    on.destroy();
  });

  it('with headers is refused', async () => {
    const on = await session();
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`x-flood-${n}`, 'y'.repeat(100)]));
    const request = on.request({ ...headers('Read'), ...many });
    request.on('error', () => undefined);
    await new Promise((resolve) => request.once('close', resolve));
    on.destroy();
    // CONTINUATION frames without end, as raw bytes: the connection is closed.
    const socket = await opened();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    const continuation = Buffer.concat([
      Buffer.from([0x00, 0x40, 0x00, 0x09, 0, 0, 0, 0, 1]),
      Buffer.alloc(0x4000, 0x82),
    ]);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    socket.write(Buffer.from([0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82]));
    const flood = setInterval(() => socket.write(continuation), 1);
    await closed;
    clearInterval(flood);
  });

  it('with calls that it takes back at once leaves nothing behind', async () => {
    const before = memoryOf(server.child.pid);
    for (let round = 0; round < 5; round += 1) {
      const on = await session();
      const ended = Array.from({ length: 400 }, () => {
        const request = on.request(headers('BatchAppend'));
        request.on('error', () => undefined);
        request.close(constants.NGHTTP2_CANCEL);
        return new Promise((resolve) => request.once('close', resolve));
      });
      await Promise.all(ended);
      on.destroy();
    }
    await memoryReturns(before);
  });

  it('with 10,000 connections, opened and dropped, leaves nothing behind', async () => {
    const before = memoryOf(server.child.pid);
    const openings = [
      '',
      'P',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n',
      '\x16\x03\x01',
    ];
    for (let n = 0; n < 10_000; n += 100) {
      const batch = Array.from({ length: 100 }, async (_, k) => {
        const socket = await opened();
        socket.write(openings[(n + k) % openings.length] ?? '');
        if (k % 2) socket.destroy();
        else socket.resetAndDestroy();
      });
      await Promise.all(batch);
    }
    await memoryReturns(before);
  });

  it('by saying nothing, or a letter at a time, is cut off', async () => {
    const impatient: EmbeddedEventStore = await startEventStore({ patienceMs: 200 });
    const slow = (first: string, then: string) =>
      new Promise<void>((resolve) => {
        const socket = connect(impatient.port, '127.0.0.1', () => socket.write(first));
        const drip = setInterval(() => socket.write(then), 50);
        socket.on('error', () => undefined);
        socket.resume();
        socket.once('close', () => {
          clearInterval(drip);
          resolve();
        });
      });
    await Promise.all([slow('', ''), slow('GET / HT', ''), slow('GET / HTTP/1.1\r\n', 'x: y\r\n')]);
    const on = connectHttp2(`http://127.0.0.1:${impatient.port}`);
    const request = on.request(headers('Read'));
    const answered = new Promise<unknown>((resolve) =>
      request.once('response', (found) => resolve(found['grpc-message'])),
    );
    request.write(Buffer.from([0, 0, 0, 0, 9, 1]));
    expect(await answered).toMatch(/did not come/);
    on.destroy();
    await impatient.stop();
  });
});

function opened(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => undefined);
  });
}

/** The garbage collector takes its time: waits until the memory is about what it was. */
async function memoryReturns(before: number): Promise<void> {
  for (;;) {
    await othersAreServed();
    if (memoryOf(server.child.pid) < before + 100 * MIB) return;
  }
}
