import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentSpec } from '#contracts';
import { SegmentRunnerConfig } from '../config.js';
import { createModel } from './create-model.js';
import type { ModelRequest } from './model-port.js';

const agent = (name: string): AgentSpec => AgentSpec.parse({ name: 'a', model: { name }, instructions: 'Work.' });
const config = (more: object): SegmentRunnerConfig =>
  SegmentRunnerConfig.parse({ BATON_BUS_URL: 'nats://127.0.0.1:1', BATON_LOG_URL: 'esdb://127.0.0.1:1', ...more });
const use = { runId: 'a-run', loadBlob: () => Promise.reject(new Error('nothing is to be loaded')) };
const request: ModelRequest = {
  model: 'some-model',
  maxTokens: 100,
  system: 'Work.',
  tools: [],
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Begin.' }] }],
};
const asked = { signal: new AbortController().signal, place: { turn: 1, attempt: 1 } };

const FRAMES = [
  {
    type: 'message_start',
    message: { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 3 } },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Here I am.' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } },
  { type: 'message_stop' },
];

describe('the model of an agent', () => {
  it('is whatever speaks the Messages API at ANTHROPIC_BASE_URL, and is shown the key', async () => {
    const heard: IncomingMessage[] = [];
    const server = createServer((incoming, response) => {
      heard.push(incoming);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(FRAMES.map((frame) => `event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`).join(''));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const there = config({ ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}/else`, ANTHROPIC_API_KEY: 'a-key' });
    expect(await createModel(agent('some-model'), there, use).turn(request, asked)).toMatchObject({
      content: [{ type: 'text', text: 'Here I am.' }],
      usage: { inputTokens: 3, outputTokens: 4 },
    });
    expect(heard.map(({ method, url }) => [method, url])).toEqual([['POST', '/else/v1/messages']]);
    expect(heard[0]?.headers['x-api-key']).toBe('a-key');
    server.closeAllConnections();
    server.close();
  });

  it.each([
    ['some-model', 'ANTHROPIC_API_KEY is not set'],
    ['simulator', 'BATON_MODEL_URL is not set'],
  ])('says what is missing, and is not tried again: %s', async (name, sentence) => {
    const turn = createModel(agent(name), config({}), use).turn(request, asked);
    await expect(turn).rejects.toMatchObject({
      kind: 'authentication',
      retryable: false,
      message: expect.stringContaining(sentence),
    });
  });
});
