import type { TurnRequest } from '#domain';
import { requestDigest } from './index.js';

const request: TurnRequest = {
  model: 'a-model',
  maxTokens: 100,
  system: 'Work.',
  tools: [{ name: 'bash', description: 'Runs.', inputSchema: { type: 'object', properties: {} } }],
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'Begin.' }] },
    {
      role: 'assistant',
      content: [
        { type: 'tool_use', id: 'toolu_1', name: 'bash', input: { command: 'ls', deep: { b: [1, -0], a: '\u2028' } } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', toolUseId: 'toolu_1', content: [{ type: 'text', text: 'ö\ud800' }], isError: false },
      ],
    },
  ],
};

/** The same value as it comes back from a store that keeps JSON but not the order of fields. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value), (_, part: unknown) => reversed(part)) as T;
const reversed = (part: unknown): unknown =>
  typeof part === 'object' && part !== null && !Array.isArray(part)
    ? Object.fromEntries(Object.entries(part).toReversed())
    : part;

describe('the digest of a request', () => {
  it('is lower-case hex and stays what it was when it was first recorded', () => {
    expect(requestDigest(request)).toBe('b77a81184331490162bf537dc99b0a06cf0e10bada65d8a065ae30ba369a5e17');
  });

  it('is the same for a request that was rebuilt from JSON with its fields in another order', () => {
    const again = stored(request);
    expect(JSON.stringify(again)).not.toBe(JSON.stringify(request));
    expect(requestDigest(again)).toBe(requestDigest(request));
  });

  it('takes an absent field and an undefined one as the same', () => {
    const tools = request.tools.map((tool) => ({ ...tool, inputSchema: { ...tool.inputSchema, title: undefined } }));
    expect(requestDigest({ ...request, tools })).toBe(requestDigest(request));
  });

  it.each<[string, TurnRequest]>([
    ['the model', { ...request, model: 'another' }],
    ['the length limit', { ...request, maxTokens: 101 }],
    ['the temperature', { ...request, temperature: 0 }],
    ['thinking', { ...request, thinking: 'adaptive' }],
    ['the budget for thinking', { ...request, thinking: { budgetTokens: 2_000 } }],
    ['the effort', { ...request, effort: 'low' }],
    ['the system prompt', { ...request, system: 'Work!' }],
    ['the tools', { ...request, tools: [] }],
    ['the number of messages', { ...request, messages: request.messages.slice(0, 1) }],
    ['the order of messages', { ...request, messages: request.messages.toReversed() }],
    ['a message', { ...request, messages: [{ role: 'user', content: [{ type: 'text', text: 'Begin!' }] }] }],
  ])('differs when %s differs', (_, other) => {
    expect(requestDigest(other)).not.toBe(requestDigest(request));
  });

  it('covers the digest of an image, not its bytes', () => {
    const blob = { digest: 'a'.repeat(64), bytes: 3, mediaType: 'image/png' as const };
    const showing = (shown: typeof blob): TurnRequest => ({
      ...request,
      messages: [{ role: 'user', content: [{ type: 'image', blob: shown }] }],
    });
    expect(requestDigest(showing(stored(blob)))).toBe(requestDigest(showing(blob)));
    expect(requestDigest(showing({ ...blob, digest: 'b'.repeat(64) }))).not.toBe(requestDigest(showing(blob)));
  });

  it('reads each message once, however many turns it is part of', () => {
    let reads = 0;
    const message = {
      role: 'user' as const,
      get content() {
        reads += 1;
        return [{ type: 'text' as const, text: 'Begin.' }];
      },
    };
    requestDigest({ ...request, messages: [message] });
    const first = reads;
    requestDigest({ ...request, messages: [message, ...request.messages.slice(1)] });
    expect(reads).toBe(first);
  });
});
