import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { type Clock, messageOf, Unavailable } from '#platform';
import { NoAnswer } from '../network/errors.js';
import { ToolAnswer } from './content.js';
import { type ListedTool, listedTools } from './declarations.js';

/** How long a server may take to say hello and to list its tools, each, in milliseconds. */
const HELLO_MS = 12_000;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;
const MOST_PAGES = 20;

const Page = z.object({ tools: z.array(z.unknown()), nextCursor: z.string().optional() });

/** The server cannot be reached, or ended before it had the call. */
export class ServerUnavailable extends Unavailable {}

/** The server has the call and did not answer it. */
export class CallUnanswered extends Unavailable {}

/** The server has answered the call with an error of the protocol. */
export class CallRefused extends Unavailable {}

/** A way to a server; `lastWords` is what it said when it ended. */
export type Way = Transport & { readonly lastWords?: string };

export interface ConnectionParts {
  readonly server: string;
  readonly only: readonly string[] | undefined;
  /** Starts or reaches the server. @throws SecretUnavailable */
  readonly open: () => Way;
  readonly clock: Clock;
}

interface Connected {
  readonly client: Client;
  readonly way: Way;
  tools: readonly ListedTool[];
  /** It broke since. */
  broken: boolean;
}

/** The connection to one server for one workspace: made when it is needed, and again when it broke, with back-off. */
export class Connection {
  private current: Promise<Connected> | undefined;
  private failures = 0;
  private notBefore = 0;
  private lastReason = '';
  private calls = 0;

  constructor(private readonly parts: ConnectionParts) {}

  /** The tools as they are now. @throws ServerUnavailable */
  async list(): Promise<readonly ListedTool[]> {
    const known = this.current;
    if (known !== undefined) {
      try {
        const connected = await known;
        connected.tools = await this.listOf(connected.client);
        return connected.tools;
      } catch {
        await this.close();
      }
    }
    return (await this.connected()).tools;
  }

  /** A tool by its declared name; the server is asked again when it is not known. @throws ServerUnavailable */
  async tool(name: string): Promise<ListedTool | undefined> {
    const { tools } = await this.connected();
    const byName = (tool: ListedTool): boolean => tool.declared.name === name;
    return tools.find(byName) ?? (await this.list()).find(byName);
  }

  /** @throws ServerUnavailable, CallUnanswered, CallRefused */
  async call(
    tool: ListedTool,
    input: Readonly<Record<string, unknown>>,
    { limitMs, signal }: { readonly limitMs: number; readonly signal: AbortSignal },
  ): Promise<z.infer<typeof ToolAnswer>> {
    const { client, way } = await this.connected();
    this.calls += 1;
    try {
      const request = { method: 'tools/call' as const, params: { name: tool.original, arguments: { ...input } } };
      return await client.request(request, ToolAnswer, { timeout: limitMs, signal });
    } catch (error) {
      // Nothing more is expected of a server that keeps calls waiting.
      if (this.calls === 1 && !isAnswer(error)) void this.close();
      throw this.translated(error, way);
    } finally {
      this.calls -= 1;
    }
  }

  get isIdle(): boolean {
    return this.calls === 0;
  }

  async close(): Promise<void> {
    const closing = this.current;
    this.current = undefined;
    const connected = await closing?.catch(() => undefined);
    await connected?.client.close().catch(() => undefined);
  }

  private async connected(): Promise<Connected> {
    const known = this.current;
    if (known !== undefined) {
      const connected = await known;
      if (!connected.broken) return connected;
      if (this.current === known) this.current = undefined;
      return this.connected();
    }
    const waitMs = this.notBefore - this.parts.clock.now();
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1_000);
      throw new ServerUnavailable(`${this.lastReason} It is tried again in ${seconds} s at the earliest.`);
    }
    const connecting = this.connect();
    this.current = connecting;
    connecting.catch(() => {
      if (this.current === connecting) this.current = undefined;
    });
    return connecting;
  }

  private async connect(): Promise<Connected> {
    const way = this.parts.open();
    const client = new Client({ name: 'baton', version: '1' });
    const connected: Connected = { client, way, tools: [], broken: false };
    Object.assign(client, {
      onclose: () => {
        connected.broken = true;
      },
    });
    try {
      await client.connect(way, { timeout: HELLO_MS });
      connected.tools = await this.listOf(client);
      this.failures = 0;
      return connected;
    } catch (error) {
      await client.close().catch(() => undefined);
      await way.close().catch(() => undefined);
      this.failures += 1;
      const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** (this.failures - 1), LONGEST_BACKOFF_MS);
      this.notBefore = this.parts.clock.now() + backoff;
      this.lastReason = `The MCP server ${this.parts.server} is not available: ${reasonOf(error, way)}.`;
      throw new ServerUnavailable(this.lastReason, { cause: error });
    }
  }

  private async listOf(client: Client): Promise<ListedTool[]> {
    const found: unknown[] = [];
    let cursor: string | undefined;
    const signal = AbortSignal.timeout(HELLO_MS);
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const request = { method: 'tools/list' as const, params: cursor === undefined ? {} : { cursor } };
      const answer = await client.request(request, Page, { timeout: HELLO_MS, signal });
      found.push(...answer.tools);
      cursor = answer.nextCursor;
      if (cursor === undefined) break;
    }
    return listedTools(this.parts.server, found, this.parts.only);
  }

  private translated(error: unknown, way: Way): Error {
    const { server } = this.parts;
    const reason = reasonOf(error, way);
    if (isAnswer(error))
      return new CallRefused(`The MCP server ${server} refused the call: ${reason}.`, { cause: error });
    if (error instanceof Unavailable || (error instanceof NoAnswer && !error.sent)) {
      return new ServerUnavailable(`The MCP server ${server} is not available: ${reason}.`, { cause: error });
    }
    return new CallUnanswered(`The MCP server ${server} did not answer: ${reason}.`, { cause: error });
  }
}

/** Whether the server has said something, be it an error. */
function isAnswer(error: unknown): boolean {
  if (error instanceof StreamableHTTPError) return error.code !== undefined && error.code > 0;
  return error instanceof McpError && ![ErrorCode.ConnectionClosed, ErrorCode.RequestTimeout].includes(error.code);
}

function reasonOf(error: unknown, { lastWords = '' }: Way): string {
  const said = lastWords === '' ? '' : ` (it said: ${lastWords})`;
  return `${messageOf(error).slice(0, 1_000).replace(/\.$/, '')}${said}`;
}
