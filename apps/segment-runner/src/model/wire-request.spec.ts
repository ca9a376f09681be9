import type { ContextMessage } from '#contracts';
import type { ModelRequest } from './model-port.js';
import { toWire, versionHeaders } from './wire-request.js';

const text = (words: string) => ({ type: 'text' as const, text: words });
const cached = { cache_control: { type: 'ephemeral' } };
const request = (...messages: readonly ContextMessage[]): ModelRequest => ({
  model: 'm',
  maxTokens: 10,
  system: 'Work.',
  tools: [{ name: 'bash', description: 'Runs.', inputSchema: { type: 'object' } }],
  messages,
});
const hello: ContextMessage = { role: 'user', content: [text('Hello'), text('there')] };

describe('a request on the wire', () => {
  it('is marked for the prompt cache after the instructions and at its end', () => {
    expect(toWire(request(hello))).toEqual({
      model: 'm',
      max_tokens: 10,
      stream: true,
      system: [{ ...text('Work.'), ...cached }],
      tools: [{ name: 'bash', description: 'Runs.', input_schema: { type: 'object' } }],
      messages: [{ role: 'user', content: [text('Hello'), { ...text('there'), ...cached }] }],
    });
  });

  it('is marked after its tools when there are no instructions', () => {
    const wire = toWire({ ...request(hello), system: '' });
    expect(wire).not.toHaveProperty('system');
    expect(wire.tools?.at(-1)).toMatchObject(cached);
  });

  it('is marked where it ends and where it ended a turn ago, never in the messages before', () => {
    const marksOf = (...messages: readonly ContextMessage[]) =>
      toWire(request(...messages)).messages.map((message) => JSON.stringify(message).includes('cache_control'));
    const yes: ContextMessage = { role: 'assistant', content: [text('Yes?')] };
    const go: ContextMessage = { role: 'user', content: [text('Go')] };
    expect(marksOf(hello)).toEqual([true]);
    expect(marksOf(hello, yes, go)).toEqual([true, false, true]);
    expect(marksOf(hello, yes, go, yes, go)).toEqual([false, false, true, false, true]);
  });

  it('says how to think and with how much effort, when the agent does', () => {
    expect(toWire(request(hello))).not.toHaveProperty('thinking');
    expect(toWire({ ...request(hello), thinking: { budgetTokens: 2_000 } })).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 2_000 },
    });
    expect(toWire({ ...request(hello), thinking: 'adaptive', effort: 'low' })).toMatchObject({
      thinking: { type: 'adaptive' },
      output_config: { effort: 'low' },
    });
    expect(toWire({ ...request(hello), thinking: 'disabled' })).toMatchObject({ thinking: { type: 'disabled' } });
  });

  it('gives the model its thoughts back unchanged', () => {
    const thoughts = [
      { type: 'thinking' as const, thinking: '', signature: 's' },
      { type: 'redacted_thinking' as const, data: 'd' },
    ];
    const wire = toWire(request(hello, { role: 'assistant', content: [...thoughts, text('So.')] }, hello));
    expect(wire.messages[1]?.content).toEqual([...thoughts, text('So.')]);
  });

  it('writes calls and their results in the words of the API', () => {
    const wire = toWire(
      request(
        hello,
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'bash', input: { command: 'ls' } }] },
        {
          role: 'user',
          content: [{ type: 'tool_result', toolUseId: 't1', content: [text('a'), text('')], isError: true }],
        },
      ),
    );
    expect(wire.messages.slice(1)).toEqual([
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'bash', input: { command: 'ls' } }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 't1', content: [text('a')], is_error: true, ...cached }],
      },
    ]);
  });

  it('has no blank text, which the API refuses, and no message without content', () => {
    const wire = toWire(
      request(hello, { role: 'assistant', content: [text(' \n')] }, { role: 'user', content: [text('Go'), text('')] }),
    );
    expect(wire.messages[1]?.content).toEqual([text('(nothing)')]);
    expect(wire.messages[2]?.content).toEqual([{ ...text('Go'), ...cached }]);
  });

  it('goes to the older version of the API when it has a temperature', () => {
    expect(versionHeaders(request(hello), 'k')).toEqual({});
    expect(toWire({ ...request(hello), temperature: 0 })).toMatchObject({ temperature: 0 });
    expect(versionHeaders({ ...request(hello), temperature: 0 }, 'k')).toMatchObject({
      'anthropic-version': '2023-06-01',
      'x-api-key': 'k',
    });
  });
});
