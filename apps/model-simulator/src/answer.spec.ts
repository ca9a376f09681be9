import { SimulateSpec } from '#contracts';
import { type Answer, answerOf, cutInHalf, seedOf, wholeMessage } from './answer.js';
import { streamOf } from './answer-stream.js';
import type { MessagesRequest } from './messages-request.js';
import { play } from './play.js';
import { isOurs, signatureOf } from './thinking-signature.js';
import { inputTokens } from './token-count.js';

const uncached = { read: 0, written: 0, fresh: 5 };
const spec = SimulateSpec.parse({ policy: 'items', command: 'echo {input}' });
const request = (input: string): MessagesRequest => ({
  model: 'm',
  max_tokens: 10_000,
  tools: [{ name: 'bash', input_schema: {} }],
  messages: [{ role: 'user', content: `<item>${JSON.stringify({ id: '1', number: 1, of: 1, input })}</item>` }],
});
const answered = (asked: MessagesRequest, how = spec, turn = 1) =>
  answerOf(play(asked, how, turn), asked, seedOf(JSON.stringify(asked), how), uncached);
const answer = (input: string) => answered(request(input));

type Event = { readonly type: string; readonly delta: Record<string, string> };
const eventsOf = (whole: Answer): readonly Event[] =>
  streamOf(whole)
    .flat()
    .map((frame) => JSON.parse(frame.split('\ndata: ')[1] ?? '') as Event);
const deltasOf = (whole: Answer, field: string): string =>
  eventsOf(whole)
    .map(({ type, delta }) => (type === 'content_block_delta' ? (delta[field] ?? '') : ''))
    .join('');

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
    expect(seedOf('{}', spec)).not.toBe(seedOf('{}', { ...spec, thinkMs: 2 }));
  });

  it('is cut off where the caller wants no more', () => {
    const short = answered({ ...request('a'), max_tokens: 3 });
    expect(short).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 3 } });
    expect(short.content).toEqual([{ type: 'text', text: 'I work on it' }]);
  });

  it('ends in half a call when it is cut in two there, which only a stream can show', () => {
    const half = cutInHalf(answer('a long input for the command'));
    expect(half.stop_reason).toBe('max_tokens');
    expect(() => JSON.parse(deltasOf(half, 'partial_json')) as unknown).toThrow(/JSON/);
    expect(wholeMessage(half)).toMatchObject({ content: [{ type: 'text' }] });
    expect(wholeMessage(half)).not.toHaveProperty('content.1');
  });

  it('is the same when it is streamed', () => {
    const whole = answer('🙂'.repeat(500));
    expect(deltasOf(whole, 'text')).toBe('I work on item 1 of 1.');
    expect(JSON.parse(deltasOf(whole, 'partial_json'))).toEqual({ command: `echo '${'🙂'.repeat(500)}'` });
    const types = eventsOf(whole).map(({ type }) => type);
    expect(types.length).toBeGreaterThan(10);
    expect(types.filter((type) => type !== 'content_block_delta')).toEqual([
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

describe('a thought', () => {
  it('comes when the caller asks for thinking, with a signature', () => {
    const whole = answered({ ...request('a'), thinking: { type: 'enabled', budget_tokens: 1_024 } });
    const [thought] = whole.content;
    expect(thought).toEqual({
      type: 'thinking',
      thinking: 'Next comes bash.',
      signature: signatureOf('Next comes bash.'),
    });
    expect(deltasOf(whole, 'thinking')).toBe('Next comes bash.');
    expect(deltasOf(whole, 'signature')).toBe(signatureOf('Next comes bash.'));
  });

  it('may be kept back, and is signed all the same', () => {
    const whole = answered({ ...request('a'), thinking: { type: 'adaptive', display: 'omitted' } });
    expect(whole.content[0]).toEqual({ type: 'thinking', thinking: '', signature: signatureOf('') });
  });
});

describe('a script', () => {
  const script = SimulateSpec.parse({
    policy: 'script',
    turns: [
      {
        thinking: 'Hm.',
        redactedThinking: 'secret',
        texts: ['One.', 'Two.'],
        calls: [{ tool: 'bash', input: { command: 'ls' } }, { tool: 'fly' }],
      },
      { texts: ['No.'], stopReason: 'refusal' },
    ],
  });

  it('says, thinks and calls what is written, side by side', () => {
    const { content, stop_reason: reason } = answered(request('a'), script);
    expect(reason).toBe('tool_use');
    expect(content.map((block) => block.type)).toEqual([
      'thinking',
      'redacted_thinking',
      'text',
      'text',
      'tool_use',
      'tool_use',
    ]);
    const [, hidden, , , first, second] = content;
    expect(hidden?.type === 'redacted_thinking' && isOurs(hidden.data)).toBe(true);
    expect(first).toMatchObject({ name: 'bash', input: { command: 'ls' } });
    expect(second).toMatchObject({ name: 'fly', input: {} });
    expect(first).not.toMatchObject({ id: second?.type === 'tool_use' ? second.id : '' });
  });

  it('plays the turn that the run has come to, whatever a compaction has left of the conversation', () => {
    expect(answered(request('a'), script, 2)).toMatchObject({ content: [{ text: 'No.' }], stop_reason: 'refusal' });
  });

  it('ends its turn after its end, or goes on with its last turn for ever', () => {
    expect(answered(request('a'), script, 3)).toMatchObject({
      content: [{ text: 'The script is at its end.' }],
      stop_reason: 'end_turn',
    });
    const loop = SimulateSpec.parse({ ...script, after: 'repeat' });
    expect(answered(request('a'), loop, 1_000)).toMatchObject({ content: [{ text: 'No.' }] });
  });

  it('is interrupted by a compaction', () => {
    const messages = [{ role: 'user' as const, content: 'So.\n<compact/>' }];
    expect(answered({ ...request('a'), messages }, script)).toMatchObject({
      content: [{ type: 'text', text: 'Nothing is in progress.' }],
    });
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

  it('takes an image for as much as a large one, however it is encoded', () => {
    const source = { type: 'base64' as const, media_type: 'image/png', data: 'A'.repeat(100_000) };
    expect(inputTokens({ model: 'm', messages: [{ role: 'user', content: [{ type: 'image', source }] }] })).toBe(1_600);
  });
});
