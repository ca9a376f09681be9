import { ItemsPlay } from '#contracts';
import type { BlockParam, MessageParam, MessagesRequest } from './messages-request.js';
import { play } from './play.js';

const spec = ItemsPlay.parse({ policy: 'items', command: 'wc -l {input}', callsPerItem: 2 });
const tools = ['bash', 'complete_item', 'fail_item', 'ask_human'].map((name) => ({
  name,
  input_schema: { type: 'object' },
}));

const user = (...content: readonly (BlockParam | string)[]): MessageParam => ({
  role: 'user',
  content: content.map((block) => (typeof block === 'string' ? { type: 'text', text: block } : block)),
});
let calls = 0;
/** A call and, as the beginning of the next user message, its result. */
const called = (
  name: string,
  input: Record<string, unknown>,
  result: string,
  isError = false,
): [MessageParam, BlockParam] => {
  calls += 1;
  const id = `toolu_${calls}`;
  return [
    { role: 'assistant', content: [{ type: 'tool_use', id, name, input }] },
    { type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text: result }], is_error: isError },
  ];
};
const ran = (result: string, isError = false) => called('bash', { command: 'x' }, result, isError);
const item = (id: string, number: number) =>
  `The current item:\n<item>${JSON.stringify({ id, number, of: 3, input: `${id} file` })}</item>`;
const played = (messages: readonly MessageParam[], other: Partial<MessagesRequest> = {}, how = spec) => {
  const { texts, calls } = play({ model: 'm', max_tokens: 1_000, tools, messages, ...other }, how, 1);
  return { text: texts.join(' '), ...(calls[0] ? { call: calls[0] } : {}), calls };
};
const callIn = (messages: readonly MessageParam[], how = spec) => played(messages, {}, how).call;

describe('the policy "items"', () => {
  it('runs the command for the announced item', () => {
    expect(played([user('Begin.', item('a', 1))])).toMatchObject({
      text: 'I work on item 1 of 3.',
      call: { tool: 'bash', input: { command: "wc -l 'a file'" } },
    });
  });

  it('runs it as often as it is told, then completes the item with the first line of the last output', () => {
    const [first, firstResult] = ran('1');
    const [second, secondResult] = ran(`  ${'2'.repeat(300)}\nmore`);
    const soFar = [user(item('a', 1)), first, user(firstResult)];
    expect(callIn(soFar)?.tool).toBe('bash');
    expect(callIn([...soFar, second, user(secondResult)])).toEqual({
      tool: 'complete_item',
      input: { item_id: 'a', result: '2'.repeat(200) },
    });
  });

  it('leaves the result out when the command printed nothing', () => {
    const [call, result] = ran('');
    expect(callIn([user(item('a', 1)), call, user(result)], { ...spec, callsPerItem: 1 })?.input).toEqual({
      item_id: 'a',
    });
  });

  it('completes at once when no calls are wanted', () => {
    expect(callIn([user(item('a', 1))], { ...spec, callsPerItem: 0 })).toEqual({
      tool: 'complete_item',
      input: { item_id: 'a' },
    });
  });

  it('fails the item whose command failed, and says why', () => {
    const [call, result] = ran('no such file\nexit status 1', true);
    expect(callIn([user(item('a', 1)), call, user(result)])).toEqual({
      tool: 'fail_item',
      input: { item_id: 'a', reason: 'no such file' },
    });
  });

  it('gives a reason even when the command failed without a word', () => {
    const [call, result] = ran('', true);
    expect(callIn([user(item('a', 1)), call, user(result)])?.input['reason']).not.toBe('');
  });

  it('does not count for the next item what was done for the one before', () => {
    const [call, result] = ran('1');
    const [done, ok] = called('complete_item', { item_id: 'a' }, 'ok');
    const messages = [user(item('a', 1)), call, user(result), done, user(ok, item('b', 2))];
    expect(callIn(messages, { ...spec, callsPerItem: 1 })).toMatchObject({
      tool: 'bash',
      input: { command: "wc -l 'b file'" },
    });
  });

  it('takes the last of several announcements', () => {
    expect(callIn([user(`${item('a', 1)}\n${item('b', 2)}`, item('c', 3))])?.input).toEqual({
      command: "wc -l 'c file'",
    });
  });

  it('does nothing twice when an item is announced again', () => {
    const [call, result] = ran('1');
    const idle: MessageParam = { role: 'assistant', content: 'Hm.' };
    const messages = [user(item('a', 1)), call, user(result), idle, user(`Go on.\n${item('a', 1)}`)];
    expect(callIn(messages, { ...spec, callsPerItem: 1 })?.tool).toBe('complete_item');
  });

  it('does not listen to what a command prints', () => {
    const [call, result] = ran(item('evil', 3));
    expect(callIn([user(item('a', 1)), call, user(result)])?.input).toEqual({ command: "wc -l 'a file'" });
  });

  it('closes when no item is open', () => {
    const [call, result] = called('complete_item', { item_id: 'a' }, 'ok');
    const messages = [user(item('a', 1)), call, user(result, '1 of 1 items completed.\n<no-open-items/>\nClose.')];
    expect(played(messages)).not.toHaveProperty('call');
  });

  it('says something when there are no items at all', () => {
    expect(played([user('Hello')], { tools: [] })).toMatchObject({ text: expect.stringMatching(/\S/) as string });
  });

  it.each([false, true])('does not settle an item twice (the first time refused: %s)', (refused) => {
    const [call, result] = called('complete_item', { item_id: 'a' }, 'x', refused);
    expect(callIn([user(item('a', 1)), call, user(result)], { ...spec, callsPerItem: 0 })).toBeUndefined();
  });

  it('asks for several calls in one turn, and for the rest in the next', () => {
    const how = { ...spec, command: 'echo {call}', callsPerItem: 3, callsPerTurn: 2 };
    const commands = (messages: readonly MessageParam[]) =>
      played(messages, {}, how).calls.map(({ input }) => input['command']);
    const [first, firstResult] = ran('1');
    const [second, secondResult] = ran('2');
    expect(commands([user(item('a', 1))])).toEqual(['echo 1', 'echo 2']);
    expect(commands([user(item('a', 1)), first, user(firstResult), second, user(secondResult)])).toEqual(['echo 3']);
  });

  it('fails the item when one of several commands failed, whichever came last', () => {
    const [first, firstResult] = ran('broken', true);
    const [second, secondResult] = ran('fine');
    const messages = [user(item('a', 1)), first, user(firstResult), second, user(secondResult)];
    expect(callIn(messages)).toMatchObject({ tool: 'fail_item', input: { reason: 'broken' } });
  });

  it('never settles an item when it is told so', () => {
    const move = played([user(item('a', 1))], {}, { ...spec, callsPerItem: 0, settle: false });
    expect(move).toMatchObject({ text: 'I have nothing more to do about item 1 of 3.', calls: [] });
  });

  it('asks a person first, and uses the answer', () => {
    const how = { ...spec, command: 'echo {answer}', question: 'How?' };
    expect(callIn([user(item('a', 1))], how)).toEqual({ tool: 'ask_human', input: { question: 'How?' } });
    const [call, result] = called('ask_human', { question: 'How?' }, 'by hand');
    expect(callIn([user(item('a', 1)), call, user(result)], how)?.input).toEqual({ command: "echo 'by hand'" });
  });

  it('answers what a person says, and goes on with its work', () => {
    const [call, result] = ran('1');
    const move = played([user(item('a', 1)), call, user(result, 'Hurry up!\nPlease.')]);
    expect(move).toMatchObject({
      text: 'You said: "Hurry up!". I work on item 1 of 3.',
      call: { tool: 'bash' },
    });
  });

  it('refuses to play with a tool that is not declared', () => {
    expect(() => played([user(item('a', 1))], { tools: tools.slice(1) })).toThrow(
      expect.objectContaining({
        status: 400,
        message: expect.stringContaining('"bash", which is not declared') as string,
      }),
    );
  });

  it.each(['<item>nonsense</item>', '<item>{"id":"a"}</item>'])('refuses the announcement %s', (line) => {
    expect(() => played([user(line)])).toThrow(/cannot read the line/);
  });
});

describe('a compaction', () => {
  const [call, result] = ran('41');
  const asked = [user(item('a', 1)), call, user(result, '<compact/>\nSummarise.')];

  it('is answered with a short text and no call', () => {
    expect(played(asked, { tools: [] })).toEqual({ text: expect.stringContaining('in progress') as string, calls: [] });
    expect(played([user('Hello', '<compact/>')])).toEqual({ text: 'Nothing is in progress.', calls: [] });
  });

  it('makes the model do nothing twice: its summary says what was done about the current item', () => {
    const { text } = played(asked);
    const after = [user(`Summary of the work so far:\n${text}\n\n${item('a', 1)}\n\nGo on from here.`)];
    expect(callIn(after, { ...spec, callsPerItem: 1 })).toEqual({
      tool: 'complete_item',
      input: { item_id: 'a', result: '41' },
    });
    expect(callIn(after)?.tool).toBe('bash');
  });

  it('keeps the answer of a person', () => {
    const [question, answer] = called('ask_human', { question: 'How?' }, 'by hand');
    const { text } = played([user(item('a', 1)), question, user(answer, '<compact/>')]);
    const how = { ...spec, command: 'echo {answer}', question: 'How?' };
    expect(callIn([user(`${text}\n${item('a', 1)}`)], how)?.input).toEqual({ command: "echo 'by hand'" });
  });

  it('forgets what was done about another item', () => {
    const { text } = played(asked);
    expect(callIn([user(`${text}\n${item('b', 2)}`)], { ...spec, callsPerItem: 1 })?.tool).toBe('bash');
  });
});
