import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** `up`: from whoever has connected to the target; `down`: back. */
export type Direction = 'up' | 'down';
const BOTH: readonly Direction[] = ['up', 'down'];

interface Target {
  readonly host: string;
  readonly port: number;
}

interface Link {
  /** Where the bytes of each direction come from. */
  readonly source: Readonly<Record<Direction, Socket>>;
  readonly gone: Set<Direction>;
}

const opposite = (direction: Direction): Direction => (direction === 'up' ? 'down' : 'up');

/**
 * A wire between a client and a server, on the loopback, that can be cut and can lose packets.
 *
 * T1  While a direction is swallowed nothing that is sent that way arrives, no byte and no hanging up; nobody is told.
 *     New connections are accepted and hear nothing.
 * T2  After `heal` everything arrives in order, since TCP sends again what was not acknowledged.
 * T3  `cut` resets what is connected, also what is swallowed; new connections are forwarded.
 * T4  When connections broke is noted, also what is swallowed.
 */
export class TcpProxy {
  /** When connections broke because of their server or were cut, the oldest first; milliseconds since 1970. */
  readonly breaks: number[] = [];
  private readonly links = new Set<Link>();
  private swallowed: ReadonlySet<Direction> = new Set();

  private constructor(
    private readonly target: Target,
    private readonly server: Server,
    readonly port: number,
  ) {
    server.on('connection', (client: Socket) => this.link(client));
  }

  /** Listens on a port of the loopback that the system chooses. */
  static async start(target: Target): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(target, server, (server.address() as AddressInfo).port);
  }

  /** Resets every connection. */
  cut(): void {
    if (this.links.size > 0) this.noteBreak();
    for (const link of this.links) {
      this.links.delete(link);
      for (const socket of Object.values(link.source)) socket.resetAndDestroy();
    }
  }

  /** Loses what is sent in these directions from now on, until it is healed. */
  swallow(directions: readonly Direction[] = BOTH): void {
    this.swallowed = new Set(directions);
    for (const link of this.links) for (const direction of directions) link.source[direction].pause();
  }

  heal(): void {
    this.swallowed = new Set();
    for (const link of this.links) {
      for (const direction of BOTH) {
        if (link.gone.has(direction)) this.hangUp(link);
        else if (link.source[direction].readableEnded) link.source[opposite(direction)].end();
        else link.source[direction].resume();
      }
    }
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cut();
    await closed;
  }

  private link(client: Socket): void {
    const server = connect({ ...this.target, allowHalfOpen: true });
    const link: Link = { source: { up: client, down: server }, gone: new Set() };
    this.links.add(link);
    server.once('connect', () => this.watch(link));
    for (const direction of BOTH) this.forward(link, direction);
  }

  private watch({ source: { up: client, down: server } }: Link): void {
    server.once('end', () => {
      // A server hangs up also when its client has.
      if (!client.readableEnded) this.noteBreak();
    });
    server.once('close', (failed) => {
      if (failed) this.noteBreak();
    });
  }

  private noteBreak(): void {
    this.breaks.push(Date.now());
  }

  private forward(link: Link, direction: Direction): void {
    const from = link.source[direction];
    const to = link.source[opposite(direction)];
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => {
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => {
      if (!this.swallowed.has(direction)) from.resume();
    });
    from.on('end', () => {
      if (!this.swallowed.has(direction)) to.end();
    });
    // What became of the connection is told by 'close', which follows.
    from.on('error', () => undefined);
    from.on('close', (failed) => {
      link.gone.add(direction);
      if (link.gone.size === BOTH.length) this.links.delete(link);
      if (failed && !this.swallowed.has(direction)) this.hangUp(link);
    });
    if (this.swallowed.has(direction)) from.pause();
  }

  private hangUp(link: Link): void {
    this.links.delete(link);
    for (const socket of Object.values(link.source)) socket.resetAndDestroy();
  }
}
