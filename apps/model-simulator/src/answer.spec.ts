import { SimulateSpec } from '#contracts';
import { answerTo, seedOf } from './answer.js';
import { streamOf } from './answer-stream.js';
import type { MessagesRequest } from './messages-request.js';
import { inputTokens } from './token-count.js';

const spec = SimulateSpec.parse({ policy: 'items', command: 'echo {input}' });
const request = (input: string): MessagesRequest => ({
  model: 'm',
  max_tokens: 10_000,
  tools: [{ name: 'bash', input_schema: {} }],
  messages: [{ role: 'user', content: `<item>${JSON.stringify({ id: '1', number: 1, of: 1, input })}</item>` }],
});
const answer = (input: string) => answerTo(request(input), spec, seedOf(JSON.stringify(request(input)), spec));

describe('an answer', () => {
  it('is a function of the request, ids included', () => {
    expect(answer('a')).toEqual(answer('a'));
    expect(answer('a').id).not.toBe(answer('b').id);
    expect(answer('a')).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'm',
      stop_reason: 'tool_use',
      content: [{ type: 'text' }, { type: 'tool_use', id: expect.stringMatching(/^toolu_[0-9a-f]{24}$/) as string }],
    });
  });

  it('has other ids when something else is to be played', () => {
    expect(seedOf('{}', spec)).not.toBe(seedOf('{}', { ...spec, callsPerItem: 2 }));
  });

  it('is refused, not cut off, when it is longer than the caller allows', () => {
    expect(() => answerTo({ ...request('a'), max_tokens: 1 }, spec, 'x')).toThrow(
      /max_tokens: the model simulator needs \d+ tokens/,
    );
  });

  it('is the same when it is streamed', () => {
    const whole = answer('🙂'.repeat(500));
    const events = streamOf(whole)
      .join('')
      .split('\n\n')
      .filter(Boolean)
      .map((frame) => JSON.parse(frame.split('\ndata: ')[1] ?? '') as { type: string; delta: Record<string, string> });
    const deltas = events.filter(({ type }) => type === 'content_block_delta').map(({ delta }) => delta);
    expect(deltas.map(({ text }) => text ?? '').join('')).toBe('I work on item 1 of 1.');
    expect(JSON.parse(deltas.map(({ partial_json: json }) => json ?? '').join(''))).toEqual({
      command: `echo '${'🙂'.repeat(500)}'`,
    });
    expect(deltas.length).toBeGreaterThan(2);
    expect(events.map(({ type }) => type).filter((type) => type !== 'content_block_delta')).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      'content_block_stop',
      'content_block_start',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });
});

describe('the count of tokens', () => {
  it('takes four characters of everything that is said as one', () => {
    expect(
      inputTokens({
        model: 'm',
        system: 'x'.repeat(40),
        tools: [{ name: 'abcd', description: 'abcd', input_schema: {} }],
        messages: [
          { role: 'user', content: 'x'.repeat(40) },
          { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'abcd', input: { a: 1 } }] },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'xxxx' }] }],
          },
        ],
      }),
    ).toBe(Math.ceil((40 + 10 + 40 + 11 + 4) / 4));
  });
});
