import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { connect, RetentionPolicy, StorageType } from 'nats';
import { Misconfigured, silentLogger } from '#platform';
import { startNats, type TestNats } from '#testing';
import { Bus } from './bus.js';
import { WORK_STREAM } from './streams.js';

/** A start that waits for ever fails the test by the reason of its abort. */
const connecting = (url: string): Promise<Bus> =>
  Bus.connect({ url, name: 'test', logger: silentLogger, signal: AbortSignal.timeout(10_000) });

describe('a server that Baton cannot work with', () => {
  const sockets = new Set<Socket>();
  let server: Server | undefined;

  /** No such server can be installed beside the right one, so its first words are spoken here. */
  async function greeting(facts: { readonly version: string; readonly jetstream: boolean }): Promise<string> {
    const greeter = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('data', (bytes) => bytes.toString().includes('PING') && socket.write('PONG\r\n'));
      socket.write(`INFO ${JSON.stringify({ ...facts, headers: true, max_payload: 1_048_576, proto: 1 })}\r\n`);
    });
    server = greeter;
    await new Promise<void>((resolve) => greeter.listen(0, '127.0.0.1', resolve));
    return `nats://127.0.0.1:${(greeter.address() as AddressInfo).port}`;
  }

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  });

  it.each(['2.9.9', '2.8.4', '1.4.1'])('is refused when it is version %s', async (version) => {
    const url = await greeting({ version, jetstream: true });
    await expect(connecting(url)).rejects.toThrow(`The nats-server is version ${version}; Baton needs 2.9.10 or newer`);
  });

  it('is refused when it has no JetStream, with the way to start it', async () => {
    const url = await greeting({ version: '2.10.27', jetstream: false });
    await expect(connecting(url)).rejects.toThrow('start it with -js');
  });
});

describe('a stream that is there already', () => {
  let nats: TestNats;

  beforeEach(async () => {
    nats = await startNats();
  });

  afterEach(() => nats.stop());

  async function made(config: { readonly storage?: StorageType; readonly max_msgs?: number }): Promise<void> {
    const client = await connect({ servers: nats.url });
    const jsm = await client.jetstreamManager();
    const like = { name: WORK_STREAM, subjects: ['baton.work.>'], retention: RetentionPolicy.Limits };
    await jsm.streams.add({ ...like, ...config });
    await client.close();
  }

  it('with other limits gets those of Baton', async () => {
    await made({ max_msgs: 7 });
    const bus = await connecting(nats.url);
    await bus.close();
    const client = await connect({ servers: nats.url });
    const { config } = await (await client.jetstreamManager()).streams.info(WORK_STREAM);
    expect(config.max_msgs).toBe(200_000);
    await client.close();
  });

  it('that takes a subject of Baton stops the start', async () => {
    const client = await connect({ servers: nats.url });
    await (await client.jetstreamManager()).streams.add({ name: 'OTHER', subjects: ['baton.work.run.>'] });
    await client.close();
    await expect(connecting(nats.url)).rejects.toThrow(Misconfigured);
  });

  it('that cannot be brought up to date stops the start with the stream, the reason and the way out', async () => {
    await made({ storage: StorageType.Memory });
    const refusal = await connecting(nats.url).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Misconfigured);
    expect(refusal).toMatchObject({ message: expect.stringMatching(/BATON_WORK.*storage.*remove/s) as unknown });
  });
});
