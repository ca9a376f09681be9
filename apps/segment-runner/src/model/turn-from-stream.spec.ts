import type Anthropic from '@anthropic-ai/sdk';
import { TurnFromStream } from './turn-from-stream.js';

/** Only the fields that matter here; the API sends more, and Baton keeps none of them. */
const turnOf = (...events: readonly object[]) => {
  const answer = new TurnFromStream();
  for (const event of events) answer.take(event as Anthropic.RawMessageStreamEvent);
  return answer.turn();
};
const start = {
  type: 'message_start',
  message: { model: 'm', usage: { input_tokens: 5, cache_read_input_tokens: 7, cache_creation_input_tokens: null } },
};
const block = (index: number, content: object) => ({ type: 'content_block_start', index, content_block: content });
const delta = (index: number, content: object) => ({ type: 'content_block_delta', index, delta: content });
const end = (reason: string | null) => ({
  type: 'message_delta',
  delta: { stop_reason: reason },
  usage: { output_tokens: 9, input_tokens: null },
});
const call = block(1, { type: 'tool_use', id: 't1', name: 'bash', input: {}, caller: { type: 'direct' } });

describe('a turn from its stream', () => {
  it('joins the pieces of text, thought and input, and keeps only what the log keeps', () => {
    const turn = turnOf(
      start,
      block(0, { type: 'thinking', thinking: '', signature: '' }),
      delta(0, { type: 'thinking_delta', thinking: 'Hm' }),
      delta(0, { type: 'thinking_delta', thinking: 'm.' }),
      delta(0, { type: 'signature_delta', signature: 'sig' }),
      call,
      delta(1, { type: 'input_json_delta', partial_json: '{"comm' }),
      delta(1, { type: 'input_json_delta', partial_json: 'and":"ls"}' }),
      block(2, { type: 'text', text: '', citations: null }),
      delta(2, { type: 'text_delta', text: 'Done' }),
      delta(2, { type: 'text_delta', text: '.' }),
      { type: 'an_event_of_tomorrow' },
      end('tool_use'),
    );
    expect(turn).toEqual({
      content: [
        { type: 'thinking', thinking: 'Hmm.', signature: 'sig' },
        { type: 'tool_use', id: 't1', name: 'bash', input: { command: 'ls' } },
        { type: 'text', text: 'Done.' },
      ],
      stopReason: 'tool_use',
      usage: { inputTokens: 5, outputTokens: 9, cacheReadTokens: 7, cacheWriteTokens: 0 },
      model: 'm',
    });
  });

  it('takes a call without any input as one with none', () => {
    expect(turnOf(start, call, end('tool_use')).content).toEqual([
      { type: 'tool_use', id: 't1', name: 'bash', input: {} },
    ]);
  });

  it.each(['max_tokens', 'model_context_window_exceeded'])(
    'leaves out the half call of a turn that ended by %s',
    (reason) => {
      const half = delta(1, { type: 'input_json_delta', partial_json: '{"comm' });
      expect(turnOf(start, call, half, end(reason))).toMatchObject({ content: [], stopReason: 'max_tokens' });
    },
  );

  it('leaves out a call that was cut off before its input, and keeps the one that was finished', () => {
    const whole = delta(1, { type: 'input_json_delta', partial_json: '{"command":"ls"}' });
    const next = block(2, { type: 'tool_use', id: 't2', name: 'bash', input: {} });
    expect(turnOf(start, call, whole, next, end('max_tokens')).content).toEqual([
      { type: 'tool_use', id: 't1', name: 'bash', input: { command: 'ls' } },
    ]);
  });

  it.each<[string, readonly object[]]>([
    [
      'a call whose input is no JSON',
      [start, call, delta(1, { type: 'input_json_delta', partial_json: '{' }), end('tool_use')],
    ],
    [
      'a call whose input is no object',
      [start, call, delta(1, { type: 'input_json_delta', partial_json: '7' }), end('tool_use')],
    ],
    ['no stop reason', [start, end(null)]],
    ['no model', [end('end_turn')]],
    ['a block that nobody asked for', [start, block(0, { type: 'server_tool_use', id: 'x' }), end('end_turn')]],
  ])('is no turn with %s', (_, events) => {
    expect(() => turnOf(...events)).toThrow(expect.objectContaining({ kind: 'server-error' }));
  });
});
