import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type AppendedEvent, correlationOf, readAppend, runIn } from './append-request.js';
import { Frames, messageIn } from './grpc-frames.js';

/** An append to a run's stream on its way to the log, held by the proxy until somebody has said what becomes of it. */
export interface Append {
  readonly run: string;
  readonly events: readonly AppendedEvent[];
  /** Keeps everything on this connection from passing, in both directions, until the promise is fulfilled. */
  readonly cutOff: (until: Promise<unknown>) => void;
}

/** What becomes of an append. */
export interface Treatment {
  /** Whether it reaches the log. */
  readonly forward: boolean;
  /** What the writer hears: the log's answer, nothing, or an error. */
  readonly answer: 'pass' | 'swallow' | 'fail';
  /** Called when the log has answered, before the writer hears of it. */
  readonly answered?: () => void;
}

export const UNTOUCHED: Treatment = { forward: true, answer: 'pass' };

export interface LogProxyOptions {
  /** Where the event store listens, on the loopback interface. */
  readonly port: number;
  /** Asked of each append to a `run-` stream. The frames after it on its call wait for the answer. */
  readonly onAppend: (append: Append) => Treatment | Promise<Treatment>;
}

const LOOPBACK = '127.0.0.1';
const BATCH_APPEND = '/event_store.client.streams.Streams/BatchAppend';
const WINDOW = 4 * 1024 * 1024;
const UNAVAILABLE = '14';

/**
 * Stands between a service and the event store. Every call is passed on byte for byte with its headers and trailers; only
 * in BatchAppend, over which the log's client sends all its appends, whole messages are looked at on their way.
 * One connection of the service is one connection to the store, so that a lost one is lost on both sides.
 */
export class LogProxy {
  private readonly sessions = new Set<ServerHttp2Session>();

  private constructor(
    private readonly server: Http2Server,
    private readonly options: LogProxyOptions,
  ) {
    server.on('session', (session) => this.meet(session));
  }

  static async start(options: LogProxyOptions): Promise<LogProxy> {
    const server = createServer({ settings: { initialWindowSize: WINDOW, maxConcurrentStreams: 10_000 } });
    const proxy = new LogProxy(server, options);
    server.on('sessionError', () => undefined);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, LOOPBACK, resolve));
    return proxy;
  }

  get url(): string {
    return `esdb://${LOOPBACK}:${(this.server.address() as AddressInfo).port}?tls=false`;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const session of this.sessions) session.destroy();
    await closed;
  }

  private meet(session: ServerHttp2Session): void {
    this.sessions.add(session);
    session.setLocalWindowSize(WINDOW);
    const store = connect(`http://${LOOPBACK}:${this.options.port}`, { settings: { initialWindowSize: WINDOW } });
    session.once('close', () => {
      this.sessions.delete(session);
      store.destroy();
    });
    store.once('close', () => session.destroy());
    for (const side of [session, store]) side.on('error', () => side.destroy());
    const line = new Line(store, this.options.onAppend);
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => line.call(stream, headers));
  }
}

/** One connection and all the calls on it. */
class Line {
  /** Nothing passes while it is pending. */
  private gate: Promise<unknown> | undefined;

  constructor(
    private readonly store: ClientHttp2Session,
    private readonly onAppend: LogProxyOptions['onAppend'],
  ) {}

  call(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => undefined);
    if (this.store.destroyed) return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    const onward = this.store.request(headers, { endStream: false });
    onward.on('error', () => undefined);
    let trailers: IncomingHttpHeaders = {};
    onward.on('trailers', (sent) => {
      trailers = sent;
    });
    onward.on('response', (answered, flags) => {
      if (stream.destroyed) return;
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(answered, endStream ? { endStream } : { waitForTrailers: true });
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.once('close', () => onward.close(stream.rstCode));
    onward.once('close', () => {
      if (onward.rstCode !== constants.NGHTTP2_NO_ERROR) stream.close(onward.rstCode);
    });
    if (headers[':path'] === BATCH_APPEND) this.appends(stream, onward);
    else {
      this.pass(stream, onward);
      this.pass(onward, stream);
    }
  }

  /** Passes bytes on, in order, as they come. */
  private pass(from: Http2Stream, to: Http2Stream): void {
    this.eachInTurn(from, to, (chunk) => send(to, chunk));
  }

  private appends(stream: ServerHttp2Stream, onward: Http2Stream): void {
    const treatments = new Map<string, Treatment>();
    const asked = new Frames();
    this.eachInTurn(stream, onward, async (chunk) => {
      for (const frame of asked.push(chunk)) await this.append(frame, treatments, onward);
    });
    const answers = new Frames();
    this.eachInTurn(onward, stream, async (chunk) => {
      for (const frame of answers.push(chunk)) await answer(frame, treatments, stream);
    });
  }

  private async append(frame: Buffer, treatments: Map<string, Treatment>, onward: Http2Stream): Promise<void> {
    const append = readAppend(messageIn(frame));
    const run = runIn(append);
    if (run !== undefined) {
      const cutOff = (until: Promise<unknown>): void => {
        this.gate = until.finally(() => {
          this.gate = undefined;
        });
      };
      treatments.set(append.correlation, await this.onAppend({ run, events: append.events, cutOff }));
    }
    await this.gate;
    if (treatments.get(append.correlation)?.forward ?? true) await send(onward, frame);
  }

  /** Handles one chunk after the other, however long each takes, and the end after the last. */
  private eachInTurn(from: Http2Stream, to: Http2Stream, handle: (chunk: Buffer) => Promise<void>): void {
    let before: Promise<unknown> = Promise.resolve();
    const next = (work: () => Promise<void> | void): Promise<unknown> => {
      before = this.afterGate(before, work).catch(() => to.close(constants.NGHTTP2_INTERNAL_ERROR));
      return before;
    };
    from.on('data', (chunk: Buffer) => {
      from.pause();
      void next(() => handle(chunk)).then(() => from.resume());
    });
    from.on('end', () => void next(() => void to.end()));
  }

  private async afterGate(before: Promise<unknown>, work: () => Promise<void> | void): Promise<void> {
    await before;
    await this.gate;
    await work();
  }
}

type Http2Stream = ServerHttp2Stream | ReturnType<ClientHttp2Session['request']>;

async function answer(frame: Buffer, treatments: Map<string, Treatment>, stream: ServerHttp2Stream): Promise<void> {
  const correlation = correlationOf(messageIn(frame));
  const treatment = treatments.get(correlation) ?? UNTOUCHED;
  treatments.delete(correlation);
  treatment.answered?.();
  if (treatment.answer === 'pass') return send(stream, frame);
  if (treatment.answer === 'swallow') return;
  stream.removeAllListeners('wantTrailers');
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': UNAVAILABLE, 'grpc-message': 'cut off' }));
  stream.end();
}

/** Resolves when the bytes are on their way; a side that is gone takes everything. */
async function send(to: Http2Stream, bytes: Buffer): Promise<void> {
  if (to.destroyed || to.closed || to.writableEnded) return;
  await new Promise<void>((resolve) => to.write(bytes, () => resolve()));
}
