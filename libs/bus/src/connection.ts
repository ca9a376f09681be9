import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionOptions, connect, Events, type JetStreamManager, type NatsConnection } from 'nats';
import { type Logger, Misconfigured, messageOf, systemClock, Unavailable } from '#platform';
import { serverProblem } from './server-version.js';

export interface ConnectionSettings {
  /** `nats://host:port`, several separated by commas; `user:password@` or `token@` before the host; `tls://` for TLS. */
  readonly url: string;
  /** Shown in the server's monitoring. */
  readonly name: string;
  readonly logger: Logger;
  /** Ends the waiting for a server that is not there yet. */
  readonly signal?: AbortSignal;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;
const API_TIMEOUT_MS = 5_000;

/** One connection to the bus that comes back for ever; those who wait on something hear when it is lost and found. */
export class Connection {
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private connected = true;
  private readonly closing = new AbortController();

  private constructor(
    readonly nats: NatsConnection,
    readonly jsm: JetStreamManager,
    readonly logger: Logger,
  ) {}

  /** Waits for a server for as long as it takes. @throws Misconfigured when the server is too old or has no JetStream. */
  static async open(settings: ConnectionSettings): Promise<Connection> {
    const outage = { since: systemClock.monotonic() };
    const nats = await dial(settings, outage);
    const problem = serverProblem(nats.info);
    if (problem !== undefined) {
      await nats.close();
      throw new Misconfigured(problem);
    }
    const jsm = await nats.jetstreamManager({ checkAPI: false, timeout: API_TIMEOUT_MS });
    const connection = new Connection(nats, jsm, settings.logger);
    void connection.watch(outage);
    return connection;
  }

  /** Aborts when `close` is called. */
  get ending(): AbortSignal {
    return this.closing.signal;
  }

  isConnected(): boolean {
    return this.connected && !this.nats.isClosed();
  }

  isClosed(): boolean {
    return this.closing.signal.aborted || this.nats.isClosed();
  }

  onFound(listener: () => void): void {
    this.changes.on('found', listener);
  }

  /** Calls whenever the connection is lost; returns the way to stop listening. */
  onLost(listener: () => void): () => void {
    this.changes.on('lost', listener);
    return () => this.changes.off('lost', listener);
  }

  /** Resolves at once when connected; rejects when the signal aborts. */
  async whenConnected(signal: AbortSignal): Promise<void> {
    if (!this.isConnected()) await once(this.changes, 'found', { signal });
  }

  /** @throws Unavailable at once while the server is away, so that nothing waits in a buffer that will be dropped. */
  assertConnected(doing: string): void {
    if (!this.isConnected()) throw new Unavailable(`${doing}: the bus cannot be reached now; try again later.`);
  }

  /**
   * The outcome of a request that was sent; rejects as soon as the connection is lost, because its reply cannot come
   * any more. The server may have done it. @throws Unavailable, and what the request rejects with
   */
  async reply<T>(request: Promise<T>): Promise<T> {
    const done = new AbortController();
    try {
      return await Promise.race([request, this.lost(done.signal)]);
    } finally {
      done.abort();
    }
  }

  /** Sends what is still to be sent, then closes; never rejects. */
  async close(): Promise<void> {
    this.closing.abort();
    try {
      if (this.isConnected()) await this.reply(this.nats.drain());
    } catch (error) {
      this.logger.debug({ reason: messageOf(error) }, 'the bus was lost while closing');
    } finally {
      await this.nats.close();
    }
  }

  private async lost(signal: AbortSignal): Promise<never> {
    await once(this.changes, 'lost', { signal });
    throw new Unavailable('The bus was lost before it replied; try again.');
  }

  private async watch(outage: { since: number }): Promise<void> {
    void this.awaitEnd();
    for await (const { type, data } of this.nats.status()) {
      if (type === Events.Disconnect && this.connected) {
        this.connected = false;
        outage.since = systemClock.monotonic();
        if (!this.isClosed()) this.logger.warn({ server: data }, 'the bus is gone; reconnecting');
        this.changes.emit('lost');
      } else if (type === Events.Reconnect) {
        this.connected = true;
        this.logger.info({ server: data }, 'the bus is back');
        const problem = serverProblem(this.nats.info);
        if (problem !== undefined) this.logger.error({}, problem);
        this.changes.emit('found');
      } else if (type === Events.Error) {
        this.logger.warn({ reason: data }, 'the bus reports an error');
      }
    }
  }

  private async awaitEnd(): Promise<void> {
    const error = await this.nats.closed();
    this.connected = false;
    this.changes.emit('lost');
    if (!this.closing.signal.aborted)
      this.logger.error({ reason: messageOf(error) }, 'the connection to the bus ended for good');
  }
}

async function dial(settings: ConnectionSettings, outage: { since: number }): Promise<NatsConnection> {
  const options = optionsOf(settings, outage);
  for (;;) {
    try {
      return await connect(options);
    } catch (error) {
      settings.logger.warn({ reason: messageOf(error) }, 'the bus is not there yet; trying again');
      await pause(waitAfter(outage.since), undefined, settings.signal ? { signal: settings.signal } : {});
    }
  }
}

function optionsOf({ url, name }: ConnectionSettings, outage: { since: number }): ConnectionOptions {
  const servers = url.split(',').map((one) => parsed(one.trim()));
  const [first] = servers;
  return {
    servers: servers.map(({ host }) => host),
    name,
    reconnect: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => waitAfter(outage.since),
    timeout: API_TIMEOUT_MS,
    pingInterval: 10_000,
    noAsyncTraces: true,
    ...(first?.protocol === 'tls:' ? { tls: {} } : {}),
    ...credentials(first),
  };
}

function credentials(first: URL | undefined): ConnectionOptions {
  if (!first?.username) return {};
  const user = decodeURIComponent(first.username);
  return first.password ? { user, pass: decodeURIComponent(first.password) } : { token: user };
}

function parsed(url: string): URL {
  const result = URL.canParse(url) ? new URL(url) : undefined;
  if (result?.host) return result;
  throw new Misconfigured(`"${url}" is no address of a bus; write it as nats://host:4222.`);
}

/** The client asks before every attempt and in between, so the wait follows the length of the outage, not a count. */
function waitAfter(since: number): number {
  const outageMs = systemClock.monotonic() - since;
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS + outageMs / 4) + Math.random() * FIRST_WAIT_MS;
}
