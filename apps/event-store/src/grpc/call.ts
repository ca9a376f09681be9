import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Deframer, frame, Malformed, Oversized } from './framing.js';
import { Refusal, Status } from './refusal.js';

/** Who calls: without users everybody is an administrator. */
export interface Caller {
  readonly name: string;
  readonly roles: ReadonlySet<string>;
}

const MAX_MESSAGE = 17 * 1024 * 1024;
const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity' };
/** So many bytes may wait for the client before the next page is read. */
const READ_AHEAD = 256 * 1024;
/** Characters of one trailer: a header block has its limits, and names of streams have none. */
const MAX_TRAILER = 2000;
/** After the trailers a client has this long to end its side before the stream is reset. */
const LINGER_MS = 1000;

/** One gRPC call as the server sees it. */
export class Call {
  /** By `performance.now()`; absent when the client waits for ever. */
  readonly deadline: number | undefined;
  private readonly ending = new AbortController();
  private finished = false;
  private corked = false;
  /** Bytes that wait for the client. */
  private unsent = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly stream: ServerHttp2Stream,
    readonly headers: IncomingHttpHeaders,
    readonly caller: Caller,
    /** A message that has begun must be whole within this time. */
    private readonly messageMs: number,
  ) {
    this.deadline = deadlineOf(headers['grpc-timeout']);
    stream.once('close', () => {
      this.ending.abort();
      this.wake();
    });
  }

  /** Aborted when the call is over: finished, cancelled, or its connection is gone. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  get over(): boolean {
    return this.finished || this.stream.destroyed || this.stream.closed;
  }

  /** The address of the client, for people. */
  get peer(): string {
    const { remoteAddress, remotePort } = this.stream.session?.socket ?? {};
    return `${remoteAddress ?? ''}:${remotePort ?? ''}`;
  }

  /** Hands over each message as it arrives; `end` says that the client has sent its last one. */
  receive(message: (bytes: Buffer) => void, end: () => void): void {
    const deframer = new Deframer(MAX_MESSAGE);
    let patience: NodeJS.Timeout | undefined;
    const rest = () => {
      clearTimeout(patience);
      patience = undefined;
    };
    this.signal.addEventListener('abort', rest, { once: true });
    this.stream.on('data', (chunk: Buffer) => {
      if (this.over) return;
      this.guard(() => {
        const whole = deframer.push(chunk);
        if (whole.length > 0) rest();
        for (const bytes of whole) if (!this.over) message(bytes);
        if (deframer.unfinished && !this.over)
          patience ??= setTimeout(() => this.fail(new Malformed('the rest of a message did not come')), this.messageMs);
      });
    });
    this.stream.on('end', () => {
      if (this.over) return;
      this.guard(() => {
        if (deframer.unfinished) throw new Malformed('the call ended within a message');
        end();
      });
    });
  }

  /** Sends one message. @returns false when the client is slower than we are: then wait for `drained`. */
  send(message: Uint8Array): boolean {
    return this.sendFrames(frame(message));
  }

  /** Sends messages that carry their five bytes already. What is sent within one turn leaves together. */
  sendFrames(frames: Buffer): boolean {
    if (this.over || frames.length === 0) return true;
    if (!this.stream.headersSent) this.stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    if (!this.corked) {
      this.corked = true;
      this.stream.cork();
      process.nextTick(() => {
        this.corked = false;
        this.stream.uncork();
      });
    }
    this.unsent += frames.length;
    return this.stream.write(frames, () => {
      this.unsent -= frames.length;
      if (this.unsent <= READ_AHEAD) this.wake();
    });
  }

  /**
   * Resolves when the client has taken all but a little of what was sent, or the call is over. That little keeps the
   * connection busy while the next page is read.
   */
  drained(): Promise<void> {
    if (this.over || this.unsent <= READ_AHEAD) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** Ends the call; only the first ending counts. */
  finish(status: Status = Status.OK, message = '', trailers: Readonly<Record<string, string>> = {}): void {
    if (this.over) return;
    this.finished = true;
    const ending = {
      'grpc-status': String(status),
      ...(message ? { 'grpc-message': percentEncoded(message) } : {}),
      ...Object.fromEntries(Object.entries(trailers).map(([name, value]) => [name, percentEncoded(value)])),
    };
    if (this.stream.headersSent) {
      this.stream.once('wantTrailers', () => {
        if (!this.stream.destroyed && !this.stream.closed) this.stream.sendTrailers(ending);
        this.linger();
      });
      this.stream.end();
    } else {
      this.stream.respond({ ...RESPONSE_HEADERS, ...ending }, { endStream: true });
      this.linger();
    }
    this.stream.resume();
  }

  /** Only once all was sent: a reader may take its time with what it asked for. */
  private linger(): void {
    setTimeout(() => this.stream.close(), LINGER_MS).unref();
  }

  fail(error: unknown): void {
    if (error instanceof Refusal) this.finish(error.status, error.message, error.trailers);
    else if (error instanceof Malformed) this.finish(Status.INVALID_ARGUMENT, `Unreadable call: ${error.message}.`);
    else if (error instanceof Oversized) this.finish(Status.RESOURCE_EXHAUSTED, `Refused: ${error.message}.`);
    else this.finish(Status.INTERNAL, error instanceof Error ? error.message : String(error));
  }

  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

function deadlineOf(timeout: string | string[] | undefined): number | undefined {
  const [, amount, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(timeout)) ?? [];
  return amount === undefined ? undefined : performance.now() + Number(amount) * (UNITS[unit ?? 'S'] ?? 1000);
}

/** Trailers are ASCII: all else is percent-encoded, as gRPC does with its status messages. */
function percentEncoded(text: string): string {
  return text.slice(0, MAX_TRAILER).replace(/[^\x20-\x24\x26-\x7e]+/gu, (run) => {
    const bytes = Buffer.from(run, 'utf8');
    return [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  });
}
