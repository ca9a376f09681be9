import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { Gate } from '#testing';
import { SessionForgotten } from '../network/errors.js';
import { HttpWay } from './http-way.js';

const Sent = z.object({ id: z.number().optional(), method: z.string() });
const INITIALIZED = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'far', version: '1' },
};

/** A server whose answers to calls and to the watching stream are given by the test. */
class Far {
  /** Ends the stream on which the server could say something by itself. */
  endStream: () => void = () => undefined;
  knowsSession = true;
  /** Lets the call that is out be refused. */
  readonly refusal = new Gate();
  readonly called = new Gate();
  readonly streamRefused = new Gate();

  readonly ask: FetchLike = (_target, init) => Promise.resolve(this.answer(init ?? {}));

  private answer({ method, body }: RequestInit): Response | Promise<Response> {
    if (method === 'GET') return this.stream();
    const sent = Sent.parse(JSON.parse(z.string().parse(body)));
    if (sent.method === 'tools/call') {
      this.called.open();
      return this.refusal.opened.then(() => new Response(null, { status: 404 }));
    }
    if (sent.id === undefined) return new Response(null, { status: 202 });
    const headers = { 'content-type': 'application/json', 'mcp-session-id': 'the-session' };
    return new Response(JSON.stringify({ jsonrpc: '2.0', id: sent.id, result: INITIALIZED }), { headers });
  }

  private stream(): Response {
    if (!this.knowsSession) {
      this.streamRefused.open();
      return new Response(null, { status: 404 });
    }
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.endStream = () => controller.close()),
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }
}

describe('the way to an MCP server that has forgotten its session', () => {
  const connected = async (): Promise<{ far: Far; client: Client; closed: Promise<void> }> => {
    const far = new Far();
    const client = new Client({ name: 'baton', version: '1' });
    const closed = new Promise<void>((resolve) => Object.assign(client, { onclose: resolve }));
    await client.connect(new HttpWay(new URL('http://far.example/mcp'), far.ask));
    return { far, client, closed };
  };
  /** @returns how the call failed */
  const call = (client: Client): Promise<unknown> =>
    client.request({ method: 'tools/call', params: { name: 'count' } }, z.object({})).catch((error: unknown) => error);
  /** The server is started anew: its stream ends, and it knows the session no longer. */
  const forget = async (far: Far): Promise<void> => {
    far.knowsSession = false;
    far.endStream();
    await far.streamRefused.opened;
  };

  it('lets a call that is out hear that it was not taken, though the stream has heard of it first', async () => {
    const { far, client, closed } = await connected();
    const failed = call(client);
    await far.called.opened;
    await forget(far);
    far.refusal.open();
    expect(await failed).toBeInstanceOf(SessionForgotten);
    await closed;
  });

  it('does not wait for the answer for long: the call is in doubt then', async () => {
    const { far, client, closed } = await connected();
    const failed = call(client);
    await far.called.opened;
    await forget(far);
    expect(await failed).toMatchObject({ code: ErrorCode.ConnectionClosed });
    await closed;
  });
});
