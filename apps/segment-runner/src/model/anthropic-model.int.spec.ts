import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { builtInTools, inputSchemaOf, SimulateSpec } from '#contracts';
import { Unreadable } from '#platform';
import { type Simulator, startSimulator } from '#testing';
import { createAnthropicModel } from './anthropic-model.js';
import { ModelFailure } from './model-failure.js';
import type { Model, ModelRequest } from './model-port.js';
import { simulatorHeaders } from './simulate-header.js';

const request: ModelRequest = {
  model: 'simulator',
  maxTokens: 1_000,
  system: 'Work.',
  tools: (['bash', 'complete_item', 'fail_item'] as const).map((name) => ({
    name,
    description: name,
    inputSchema: inputSchemaOf(builtInTools[name]),
  })),
  messages: [
    {
      role: 'user',
      content: [{ type: 'text', text: 'Begin.\n<item>{"id":"ö-7","number":7,"of":20,"input":"a b"}</item>' }],
    },
  ],
};

const loadBlob = (digest: string) => Promise.reject(new Unreadable(`The blob ${digest} is not in the store.`));
const never = new AbortController().signal;
const play = (url: string, spec: object = {}): Model =>
  createAnthropicModel({
    baseUrl: url,
    apiKey: 'none',
    timeoutMs: 5_000,
    loadBlob,
    headers: simulatorHeaders(SimulateSpec.parse({ policy: 'items', command: 'echo "ß" {input}', ...spec }), 'a-run'),
  });
const failureOf = async (turn: Promise<unknown>): Promise<ModelFailure> => {
  const error = await turn.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ModelFailure) return error;
  throw new Error(`not a failure of the model: ${String(error)}`);
};
const framed = (frames: readonly object[]): string =>
  frames.map((frame) => `event: ${(frame as { type: string }).type}\ndata: ${JSON.stringify(frame)}\n\n`).join('');
const ask = async (model: Promise<Model>): Promise<ModelFailure> =>
  failureOf((await model).turn(request, { signal: never }));

describe('a model behind the Messages API', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator();
  });
  afterAll(() => simulator.stop());

  it('answers with a turn and tells its text piece by piece', async () => {
    const heard: string[] = [];
    const turn = await play(simulator.url).turn(request, { signal: never, onText: (text) => heard.push(text) });
    expect(turn).toEqual({
      content: [
        { type: 'text', text: 'I work on item 7 of 20.' },
        {
          type: 'tool_use',
          id: expect.stringMatching(/^toolu_[0-9a-f]{24}$/) as string,
          name: 'bash',
          input: { command: 'echo "ß" \'a b\'' },
        },
      ],
      stopReason: 'tool_use',
      usage: {
        inputTokens: expect.any(Number) as number,
        outputTokens: expect.any(Number) as number,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
      },
      model: 'simulator',
    });
    expect(heard.join('')).toBe('I work on item 7 of 20.');
  });

  it('gives the same answer to the same request, and goes on from its own answer', async () => {
    const model = play(simulator.url);
    const turn = await model.turn(request, { signal: never });
    expect(await model.turn(structuredClone(request), { signal: never })).toEqual(turn);
    const [, call] = turn.content;
    const toolUseId = call?.type === 'tool_use' ? call.id : '';
    const messages: ModelRequest['messages'] = [
      ...request.messages,
      { role: 'assistant', content: [...turn.content] },
      {
        role: 'user',
        content: [{ type: 'tool_result', toolUseId, content: [{ type: 'text', text: '42\nmore' }], isError: false }],
      },
    ];
    const next = await model.turn({ ...request, messages }, { signal: never });
    expect(next.content[1]).toMatchObject({ name: 'complete_item', input: { item_id: 'ö-7', result: '42' } });
  });

  it('sends a temperature to the version of the API that still takes one', async () => {
    const turn = await play(simulator.url).turn({ ...request, temperature: 0.5 }, { signal: never });
    expect(turn.stopReason).toBe('tool_use');
  });

  it('takes as long as the model thinks, and hears its text meanwhile', async () => {
    const startedAt = performance.now();
    let firstAt = 0;
    await play(simulator.url, { thinkMs: 1_000 }).turn(request, {
      signal: never,
      onText: () => {
        firstAt ||= performance.now() - startedAt;
      },
    });
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThanOrEqual(995);
    expect(firstAt).toBeLessThan(0.9 * tookMs);
  });

  it('ends when it is aborted, long before the model would, with the reason of the abort', async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled');
    let abortedAt = 0;
    const turn = play(simulator.url, { thinkMs: 8_000 }).turn(request, {
      signal: abort.signal,
      onText: () => {
        abortedAt = performance.now();
        abort.abort(reason);
      },
    });
    await expect(turn).rejects.toBe(reason);
    // The rest of the turn would have taken twice as long.
    expect(performance.now() - abortedAt).toBeLessThan(2_000);
  });

  it('does not even ask when it is aborted before', async () => {
    const turn = play('http://127.0.0.1:1').turn(request, { signal: AbortSignal.abort('too late') });
    await expect(turn).rejects.toBe('too late');
  });

  it('names what the simulator cannot play', async () => {
    const failure = await failureOf(play(simulator.url).turn({ ...request, tools: [] }, { signal: never }));
    expect(failure).toMatchObject({ kind: 'invalid-request', retryable: false, remedy: 'give-up' });
    expect(failure.message).toContain('wants to call "bash", which is not declared');
  });

  it('is cut off when the model goes away in the middle of a turn', async () => {
    const doomed = await startSimulator();
    const turn = play(doomed.url, { thinkMs: 60_000 }).turn(request, { signal: never });
    const failed = failureOf(turn);
    setTimeout(() => void doomed.stop(), 100);
    expect(await failed).toMatchObject({ kind: 'cut-off', retryable: true });
  });
});

describe('a Messages API in trouble', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  const answering = async (listener: RequestListener, timeoutMs = 5_000): Promise<Model> => {
    server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return createAnthropicModel({ baseUrl: `http://127.0.0.1:${port}`, apiKey: 'none', timeoutMs, loadBlob });
  };
  const refusing = (status: number, type: string, headers: Record<string, string> = {}): Promise<Model> =>
    answering((_, response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ type: 'error', error: { type, message: 'No.' } }));
    });
  const streaming = (...frames: readonly object[]): Promise<Model> =>
    answering((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(framed(frames));
    });
  const start = {
    type: 'message_start',
    message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 3 } },
  };

  it.each([
    [529, 'overloaded_error', 'overloaded', true],
    [429, 'rate_limit_error', 'rate-limited', true],
    [500, 'api_error', 'server-error', true],
    [503, 'api_error', 'server-error', true],
    [504, 'timeout_error', 'timed-out', true],
    [400, 'invalid_request_error', 'invalid-request', false],
    [404, 'not_found_error', 'invalid-request', false],
    [413, 'request_too_large', 'invalid-request', false],
    [401, 'authentication_error', 'authentication', false],
    [403, 'permission_error', 'authentication', false],
  ])('is a failure of its kind when it answers %s', async (status, type, kind, retryable) => {
    const failure = await ask(refusing(status, type));
    expect(failure).toMatchObject({ kind, retryable, retryAfterMs: undefined });
    expect(failure.message).toContain('No.');
  });

  it('is told the key in both ways, and nothing that only a simulator understands', async () => {
    let heard: IncomingHttpHeaders = {};
    const model = await answering((incoming, response) => {
      heard = incoming.headers;
      response.writeHead(500).end();
    });
    await failureOf(model.turn(request, { signal: never, place: { turn: 1, attempt: 1 } }));
    expect(heard).toMatchObject({
      'x-api-key': 'none',
      authorization: 'Bearer none',
      'anthropic-version': '2026-10-21',
    });
    expect(Object.keys(heard).filter((name) => name.startsWith('baton'))).toEqual([]);
  });

  it('says how long to wait', async () => {
    expect(await ask(refusing(429, 'rate_limit_error', { 'retry-after': '7' }))).toMatchObject({ retryAfterMs: 7_000 });
  });

  it('says itself whether to come again', async () => {
    expect(await ask(refusing(429, 'rate_limit_error', { 'x-should-retry': 'false' }))).toMatchObject({
      kind: 'rate-limited',
      retryable: false,
    });
  });

  it('may be overloaded in the middle of an answer', async () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    expect(await ask(streaming(start, error))).toMatchObject({ kind: 'overloaded', retryable: true });
  });

  it('is cut off when the stream ends before the turn does', async () => {
    expect(await ask(streaming(start))).toMatchObject({ kind: 'cut-off' });
  });

  it('is cut off when nobody listens', async () => {
    const model = createAnthropicModel({ baseUrl: 'http://127.0.0.1:1', apiKey: 'none', timeoutMs: 1_000, loadBlob });
    expect(await failureOf(model.turn(request, { signal: never }))).toMatchObject({ kind: 'cut-off', retryable: true });
  });

  it('is asked again at once when it closed the idle connection, but never when it had begun to answer', async () => {
    const finished = [
      start,
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ];
    const ways: readonly ('finish' | 'close' | 'begin')[] = ['finish', 'close', 'finish', 'begin', 'finish'];
    let asked = 0;
    const model = await answering((incoming, response) => {
      const way = ways[asked];
      asked += 1;
      if (way === 'close') return void incoming.socket.destroy();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (way === 'finish') return void response.end(framed(finished));
      response.write(framed([start]), () => incoming.socket.resetAndDestroy());
    });
    const turn = () => model.turn(request, { signal: never });
    expect(await turn()).toMatchObject({ stopReason: 'end_turn' });
    expect(await turn()).toMatchObject({ stopReason: 'end_turn' });
    expect(asked).toBe(3);
    expect(await failureOf(turn())).toMatchObject({ kind: 'cut-off' });
    expect(asked).toBe(4);
  });

  it('is timed out when it never begins to answer', async () => {
    expect(await ask(answering(() => undefined, 100))).toMatchObject({ kind: 'timed-out', retryable: true });
  });

  it('is timed out when it falls silent in the middle of an answer', async () => {
    const silent = answering((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: message_start\ndata: ${JSON.stringify(start)}\n\n`);
    }, 100);
    expect(await ask(silent)).toMatchObject({ kind: 'timed-out' });
  });

  it.each<[string, readonly object[]]>([
    [
      'a delta without its block',
      [start, { type: 'content_block_delta', index: 4, delta: { type: 'text_delta', text: '' } }],
    ],
    ['a start without a message', [{ type: 'message_start' }]],
    [
      'a call without an id',
      [
        start,
        { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', name: 'bash', input: {} } },
        { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 1 } },
        { type: 'message_stop' },
      ],
    ],
  ])('has an answer of the wrong shape when it sends %s', async (_, frames) => {
    const failure = await ask(streaming(...frames));
    expect(failure).toMatchObject({ kind: 'server-error' });
    expect(failure.message).toContain('not one of the Messages API');
  });
});
