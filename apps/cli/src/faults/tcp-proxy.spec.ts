import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { until } from '#testing';
import { TcpProxy } from './tcp-proxy.js';

let server: Server;
let proxy: TcpProxy;
let accepted: Socket[];

beforeEach(async () => {
  accepted = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => socket.write(`echo ${bytes.toString()}`));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
});
afterEach(async () => {
  await proxy.close();
  for (const socket of accepted) socket.destroy();
  server.close();
});

/** A client that keeps what it has heard. */
class Client {
  heard = '';
  error: string | undefined;
  private constructor(readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.heard += text;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
  }
  static async connect(): Promise<Client> {
    const socket = connect({ host: '127.0.0.1', port: proxy.port });
    await once(socket, 'connect');
    return new Client(socket);
  }
  /** Unlike `once`, an error is no reason not to wait. */
  closed(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('close', () => resolve());
    });
  }
  async hears(text: string): Promise<void> {
    while (!this.heard.endsWith(text)) await once(this.socket, 'data');
  }
}

/** Another connection's way there and back: by then whatever was to arrive on this one has arrived. */
async function roundTripBeside(server: Server): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  socket.write('beside');
  await once(socket, 'data');
  socket.destroy();
}

describe('a wire', () => {
  it('forwards both ways, and hangs up when one side does', async () => {
    const client = await Client.connect();
    client.socket.write('one');
    await client.hears('echo one');
    client.socket.end();
    await once(accepted[0] as Socket, 'end');
    accepted[0]?.end();
    await client.closed();
    expect(client.error).toBeUndefined();
  });

  it('resets what is connected when it is cut (T3), and forwards what comes next', async () => {
    const client = await Client.connect();
    client.socket.write('one');
    await client.hears('echo one');
    proxy.cut();
    await client.closed();
    expect(client.error).toBe('ECONNRESET');
    const next = await Client.connect();
    next.socket.write('two');
    await next.hears('echo two');
    next.socket.destroy();
  });

  it('swallows both directions without a word, also of new connections, until it is healed (T1, T2)', async () => {
    const before = await Client.connect();
    before.socket.write('one');
    await before.hears('echo one');
    proxy.swallow();
    before.socket.write('two');
    const after = await Client.connect();
    after.socket.write('three');
    await roundTripBeside(server);
    expect([before.heard, after.heard, before.error, after.error]).toEqual(['echo one', '', undefined, undefined]);
    proxy.heal();
    await Promise.all([before.hears('echo two'), after.hears('echo three')]);
    before.socket.destroy();
    after.socket.destroy();
  });

  it.each(['up', 'down'] as const)('swallows %s alone', async (direction) => {
    const client = await Client.connect();
    client.socket.write('one');
    await client.hears('echo one');
    const [peer] = accepted;
    proxy.swallow([direction]);
    if (direction === 'up') {
      client.socket.write('two');
      peer?.write('from the server');
      await client.hears('from the server');
      expect(client.heard).not.toContain('echo two');
    } else {
      client.socket.write('two');
      await once(peer as Socket, 'data');
      await roundTripBeside(server);
      expect(client.heard).toBe('echo one');
    }
    proxy.heal();
    await client.hears('echo two');
    client.socket.destroy();
  });

  it('tells nobody that the other side is gone while it swallows, and does afterwards (T1)', async () => {
    const client = await Client.connect();
    client.socket.write('one');
    await client.hears('echo one');
    proxy.swallow();
    accepted[0]?.resetAndDestroy();
    await roundTripBeside(server);
    expect([client.error, client.socket.closed]).toEqual([undefined, false]);
    proxy.heal();
    await client.closed();
    expect(client.error).toBe('ECONNRESET');
  });

  it('notes when a server hangs up, and not when a client does (T4)', async () => {
    const leaving = await Client.connect();
    leaving.socket.write('one');
    await leaving.hears('echo one');
    leaving.socket.end();
    await leaving.closed();
    expect(proxy.breaks).toEqual([]);
    const left = await Client.connect();
    left.socket.write('two');
    await left.hears('echo two');
    accepted[1]?.end();
    await once(left.socket, 'end');
    expect(proxy.breaks).toHaveLength(1);
    left.socket.destroy();
  });

  it('keeps a hanging up to itself while it swallows, notes it, and passes it on afterwards (T1, T2, T4)', async () => {
    const client = await Client.connect();
    client.socket.write('one');
    await client.hears('echo one');
    proxy.swallow(['down']);
    accepted[0]?.end();
    await until(() => proxy.breaks.length === 1);
    await roundTripBeside(server);
    expect([client.error, client.socket.readableEnded]).toEqual([undefined, false]);
    proxy.heal();
    await client.closed();
    expect(client.error).toBeUndefined();
  });
});
