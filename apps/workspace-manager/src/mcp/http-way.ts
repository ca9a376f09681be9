import { setTimeout as pause } from 'node:timers/promises';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { messageOf } from '#platform';
import { SessionForgotten } from '../network/errors.js';

/** How often in a row a stream that broke is asked for in vain before the session is held to be over. */
const MISSES_BORNE = 3;
const RECONNECTION = {
  initialReconnectionDelay: 500,
  reconnectionDelayGrowFactor: 2,
  maxReconnectionDelay: 10_000,
  maxRetries: MISSES_BORNE,
};
/** How long a server that is left is waited for, in milliseconds. */
const LEAVING_MS = 2_000;

/** How long requests that are out are waited for once the session is over, in milliseconds. */
const LAST_ANSWERS_MS = 1_000;

/** How servers answer to a session that they do not know: 404 by the protocol, 400 by many of them. */
const UNKNOWN_SESSION: readonly number[] = [400, 404];

/** The number of a request in what is sent; undefined for a notification. */
const Sent = z.string().transform((body) => z.object({ id: z.number() }).safeParse(JSON.parse(body)).data?.id);

/**
 * The way to a server over streamable HTTP. The transport of the SDK hears that a stream has broken and keeps it to itself:
 * a call whose answer was to come on it would wait until its limit, and a session that the server has forgotten would be
 * used on. So the streams are watched here: a call whose stream ends without an answer ends with it, and a session that is
 * over closes the way.
 */
export class HttpWay extends StreamableHTTPClientTransport {
  why: string | undefined;
  private misses = 0;
  /** A stream of this session was open, so that it can be missed. */
  private hadStream = false;
  /** The requests whose streams can be asked for again where they broke. */
  private readonly resumable = new Set<unknown>();
  /** What was sent and has no status yet. */
  private readonly out = new Set<Promise<void>>();

  constructor(
    url: URL,
    private readonly ask: FetchLike,
  ) {
    super(url, { fetch: (target, init = {}) => this.watched(target, init), reconnectionOptions: RECONNECTION });
  }

  override send(...[message, options]: Parameters<StreamableHTTPClientTransport['send']>): Promise<void> {
    const sending = this.sending(message, options);
    const forget = (): void => void this.out.delete(sending);
    this.out.add(sending);
    sending.then(forget, forget);
    return sending;
  }

  private sending(...[message, options]: Parameters<StreamableHTTPClientTransport['send']>): Promise<void> {
    if (Array.isArray(message) || !('id' in message)) return super.send(message, options);
    const { id } = message;
    const onresumptiontoken = (token: string): void => {
      this.resumable.add(id);
      this.hadStream = true;
      options?.onresumptiontoken?.(token);
    };
    return super.send(message, { ...options, onresumptiontoken });
  }

  /** Tells the server that its session is not needed any more; a courtesy. */
  async leave(): Promise<void> {
    const told = this.terminateSession().catch(() => undefined);
    await Promise.race([told, pause(LEAVING_MS, undefined, { ref: false })]);
  }

  private async watched(target: string | URL, init: RequestInit): Promise<Response> {
    if (init.method === 'GET') return this.stream(target, init);
    const response = await this.ask(target, init);
    if (init.method !== 'POST') return response;
    if (response.status === 404 && new Headers(init.headers).has('mcp-session-id')) {
      await response.body?.cancel();
      throw new SessionForgotten();
    }
    const id = Sent.safeParse(init.body).data;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    return id === undefined || !isStream || !response.body ? response : this.answering(response, response.body, id);
  }

  /** A stream for what the server says by itself, or one that is asked for again. */
  private async stream(target: string | URL, init: RequestInit): Promise<Response> {
    try {
      const response = await this.ask(target, init);
      if (response.ok) {
        this.misses = 0;
        this.hadStream = true;
      } else if (UNKNOWN_SESSION.includes(response.status)) {
        void this.over('it has forgotten the session');
      } else if (response.status >= 500) {
        this.missed(`it answers with the status ${response.status}`);
      }
      return response;
    } catch (error) {
      this.missed(messageOf(error));
      throw error;
    }
  }

  private missed(why: string): void {
    this.misses += 1;
    if (this.misses >= MISSES_BORNE) void this.over(why);
  }

  /**
   * Closes the way, once what is out has its status: a call that a server refuses since it does not know the session was not
   * carried out, and would be in doubt if it were cut off a moment before that is heard.
   */
  private async over(why: string): Promise<void> {
    if (!this.hadStream || this.why !== undefined) return;
    this.why = why;
    await Promise.race([Promise.allSettled(this.out), pause(LAST_ANSWERS_MS, undefined, { ref: false })]);
    await this.close();
  }

  /** An answer on a stream; when it breaks and cannot be had again, that is the answer. */
  private answering({ status, statusText, headers }: Response, body: ReadableStream<Uint8Array>, id: number): Response {
    const { resumable } = this;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      let why = 'the connection ended before its answer';
      try {
        yield* body;
      } catch (error) {
        if (resumable.has(id)) throw error;
        why = messageOf(error);
      }
      // Whoever has its answer already does not look at another one.
      if (!resumable.delete(id)) yield unanswered(id, why);
    }
    return new Response(ReadableStream.from(pieces()), { status, statusText, headers });
  }
}

const unanswered = (id: number, message: string): Uint8Array => {
  const error = { jsonrpc: '2.0', id, error: { code: ErrorCode.ConnectionClosed, message } };
  return Buffer.from(`\n\nevent: message\ndata: ${JSON.stringify(error)}\n\n`);
};
