import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { type Clock, messageOf, sha256, Unavailable } from '#platform';
import { NoAnswer, SessionForgotten } from '../network/errors.js';
import { ToolAnswer } from './content.js';
import { type ListedTool, listedTools } from './declarations.js';
import { Patience } from './patience.js';

/** How long a server may take to say hello and to list its tools, each, in milliseconds. */
const HELLO_MS = 12_000;
const MOST_PAGES = 20;
/** How often in a row a server may say nothing before it is started again. */
const SILENCES_BORNE = 3;
const INSTANCE_CHARACTERS = 16;

const Page = z.object({ tools: z.array(z.unknown()), nextCursor: z.string().optional() });

/** The server cannot be reached, or ended before it had the call. */
export class ServerUnavailable extends Unavailable {}

/** The server has the call and did not answer it. */
export class CallUnanswered extends Unavailable {}

/** The server has answered the call with an error of the protocol. */
export class CallRefused extends Unavailable {}

/** What became of a connection that lasted: the tools, which start or session of the server it is, why the last one ended. */
export interface Listed {
  readonly tools: readonly ListedTool[];
  readonly instance?: string;
  readonly ended?: string;
}

/** A way to a server. */
export interface Way extends Transport {
  /** What the server said when it ended. */
  readonly lastWords?: string;
  /** Why the way has ended by itself; a clause. */
  readonly why?: string | undefined;
  /** Tells the server that nobody needs it any more. */
  leave?(): Promise<void>;
}

export interface ConnectionParts {
  readonly server: string;
  readonly only: readonly string[] | undefined;
  /** Starts or reaches the server. @throws SecretUnavailable */
  readonly open: () => Way;
  /** Is told when a connection that stood has broken. */
  readonly onLost: () => void;
  /** Is told when a connection stands, and when it is over without anybody having given it up. */
  readonly onStanding: (stands: boolean) => Promise<void>;
  /** Why the connection before this one was given up. */
  readonly ended: string | undefined;
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
  private readonly patience: Patience;
  private calls = 0;
  /** How often in a row it did not say what tools it has. */
  private silences = 0;
  /** The connection that is there, until it breaks or is given up. */
  private standing: Connected | undefined;
  /** Why the last connection that stood has ended. */
  private ended: string | undefined;
  private isGivenUp = false;

  constructor(private readonly parts: ConnectionParts) {
    this.ended = parts.ended;
    this.patience = new Patience(parts.clock);
  }

  /**
   * The tools as they are now. One that has calls is not disturbed; one that is silent is given up at the third time only,
   * since it may be at work on something of its own.
   * @throws ServerUnavailable
   */
  async list(): Promise<Listed> {
    const known = this.current;
    if (known !== undefined) {
      const connected = await known.catch(() => undefined);
      if (connected && !connected.broken && (this.calls > 0 || (await this.isListed(connected)))) {
        return this.listed(connected);
      }
      if (this.current === known) await this.close();
    }
    return this.listed(await this.connected());
  }

  /** @throws ServerUnavailable */
  private async isListed(connected: Connected): Promise<boolean> {
    try {
      connected.tools = await this.listOf(connected.client);
      this.silences = 0;
      return true;
    } catch (error) {
      const told = this.translated(error, connected.way).message;
      this.silences += 1;
      if (isSilence(error) && this.silences < SILENCES_BORNE) throw new ServerUnavailable(told, { cause: error });
      this.over(told);
      return false;
    }
  }

  private listed({ tools, way }: Connected): Listed {
    const { ended } = this;
    const instance = way.sessionId && sha256(way.sessionId).slice(0, INSTANCE_CHARACTERS);
    return { tools, ...(instance && { instance }), ...(ended !== undefined && { ended }) };
  }

  /** A tool by its declared name; the server is asked again when it is not known. @throws ServerUnavailable */
  async tool(name: string): Promise<ListedTool | undefined> {
    const { tools } = await this.connected();
    const byName = (tool: ListedTool): boolean => tool.declared.name === name;
    return tools.find(byName) ?? (await this.list()).tools.find(byName);
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
      const told = this.translated(error, way);
      const stood = this.standing?.way === way;
      // A session that is over takes no other call; nothing more is expected of a server that keeps calls waiting.
      if (error instanceof SessionForgotten ? stood : this.calls === 1 && !isAnswer(error)) {
        this.over(told.message);
        void this.close();
      }
      // Nobody knows yet: whoever watches looks at it now, so that what is said of the server is true.
      if (stood && !(error instanceof McpError && isAnswer(error))) this.parts.onLost();
      throw told;
    } finally {
      this.calls -= 1;
    }
  }

  get isIdle(): boolean {
    return this.calls === 0;
  }

  /** Closes it for good: what breaks from now on is no news. */
  async giveUp(): Promise<void> {
    this.isGivenUp = true;
    await this.standing?.way.leave?.();
    await this.close();
  }

  private async close(): Promise<void> {
    const closing = this.current;
    this.current = undefined;
    this.standing = undefined;
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
    const refusal = this.patience.refusal();
    if (refusal !== undefined) throw new ServerUnavailable(refusal);
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
        if (this.standing === connected) this.lost(connected);
      },
    });
    try {
      await client.connect(way, { timeout: HELLO_MS });
      connected.tools = await this.listOf(client);
      this.standing = connected;
      this.patience.stands();
      await this.parts.onStanding(true);
      this.silences = 0;
      return connected;
    } catch (error) {
      await client.close().catch(() => undefined);
      await way.close().catch(() => undefined);
      const reason = `The MCP server ${this.parts.server} is not available: ${reasonOf(error, way)}.`;
      this.patience.failed(reason);
      throw new ServerUnavailable(reason, { cause: error });
    }
  }

  private lost({ way }: Connected): void {
    this.standing = undefined;
    const because = way.why === undefined ? said(way) : `: ${way.why.replace(/\.$/, '')}`;
    const why = `The MCP server ${this.parts.server} has ended${because}.`;
    this.over(why);
    this.patience.lost(why);
    this.parts.onLost();
  }

  private over(why: string): void {
    if (this.isGivenUp) return;
    this.ended = why;
    void this.parts.onStanding(false);
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
    if (error instanceof SessionForgotten) {
      const told = `The session with the MCP server ${server} has ended, so the call was not carried out.`;
      return new ServerUnavailable(told, { cause: error });
    }
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

/** Whether the server has neither answered nor gone. */
const isSilence = (error: unknown): boolean =>
  error instanceof McpError && [ErrorCode.RequestTimeout].includes(error.code);

const reasonOf = (error: unknown, way: Way): string =>
  `${messageOf(error).slice(0, 1_000).replace(/\.$/, '')}${said(way)}`;

const said = ({ lastWords = '' }: Way): string => (lastWords === '' ? '' : ` (it said: ${lastWords})`);
