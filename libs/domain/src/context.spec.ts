import { type ModelBlock, type Recorded, type RunEvent, runEventSchemas } from '#contracts';
import { requestDigest } from '#platform';
import { facts, given, historyOf } from '#testing';
import { compactionRequest, type History, replay, requestMessages, turnRequest } from './index.js';

const { requested, scheduled, started, turn, bash, text, callStarted, callCompleted, callInDoubt, callSettled } = facts;
const { call, message, itemStarted, itemCompleted, completeItem, compacted, capNeared } = facts;

const work = [requested(), scheduled(), started()];
const shown = (...history: readonly facts.Fact[]) => {
  const { run, context } = given(...history);
  return requestMessages(context, run.last.revision);
};
/** Each message as its role and its texts. */
const told = (...history: readonly facts.Fact[]): readonly (readonly string[])[] =>
  shown(...history).map(({ role, content }) => [role, ...content.map(inWords)]);
const inWords = (block: object): string => {
  if ('text' in block) return String(block.text);
  return 'toolUseId' in block
    ? `result of ${String(block.toolUseId)}`
    : `call ${'id' in block ? String(block.id) : ''}`;
};

describe('what the model is shown', () => {
  it('begins with the input, and with something when there is none', () => {
    expect(told(...work)).toEqual([['user', 'Do it.']]);
    expect(told(requested({ input: '' }))).toEqual([['user', 'Begin.']]);
  });

  it('has the results in the order of the calls, whatever ended first', () => {
    const asked = [...work, turn([bash('a', 'x'), bash('b', 'y')]), callStarted('1-0'), callStarted('1-1')];
    const [, , results] = told(...asked, callCompleted('1-1'), callCompleted('1-0'));
    expect(results).toEqual(['user', 'result of x', 'result of y']);
  });

  it('marks what went wrong, and tells an unknown outcome as it is', () => {
    const asked = [...work, turn([bash('a', 'x'), bash('b', 'y')])];
    const [, , results] = shown(...asked, callCompleted('1-0', 'No.', 'error'), callInDoubt('1-1'), callSettled('1-1'));
    expect(results?.content).toMatchObject([
      { toolUseId: 'x', isError: true },
      { toolUseId: 'y', isError: false, content: [{ text: 'Unknown.' }] },
    ]);
  });

  it('shows a message that came while the model thought after its answer', () => {
    expect(told(...work, message('Stop that.'), turn([bash()], { basedOn: 2 }), callCompleted())).toEqual([
      ['user', 'Do it.'],
      ['assistant', 'call toolu_bash'],
      ['user', 'result of toolu_bash', 'Stop that.'],
    ]);
  });

  it('shows a message once', () => {
    const texts = told(...work, message('Stop that.'), turn([bash()]), callCompleted()).flat();
    expect(texts.filter((words) => words === 'Stop that.')).toHaveLength(1);
  });

  it('leaves out what was recorded after the revision that is asked for', () => {
    const { context } = given(...work, message('Later.'));
    expect(requestMessages(context, 2)).toEqual([{ role: 'user', content: [{ type: 'text', text: 'Do it.' }] }]);
  });

  it('announces items, that none is open, and caps', () => {
    const items = [requested({ items: ['a'] }), scheduled(), started(), itemStarted('a')];
    const done = [...items, turn([completeItem('a')]), callCompleted(), itemCompleted('a'), capNeared('steps', 4, 5)];
    const [opening, , close] = told(...done);
    expect(opening?.[2]).toBe('The current item:\n<item>{"id":"a","number":1,"of":1,"input":{"path":"a.txt"}}</item>');
    expect(close?.slice(2)).toEqual([
      '1 of 1 item completed, 0 failed, 0 open.\n<no-open-items/>\nClose with a short report.',
      "80 % of the run's limit of 5 steps is used. Bring the work to a good end before it is reached.",
    ]);
  });

  it('reminds a model that idles of what is open, and lets one go on that was cut off', () => {
    const items = [requested({ items: ['a'] }), scheduled(), started(), itemStarted('a')];
    expect(told(...items, turn([text('Hm.')])).at(-1)?.[1]).toContain('1 item of 1 still open.');
    expect(told(...work, turn([text('And')], { stopReason: 'max_tokens' })).at(-1)).toEqual([
      'user',
      'Your answer was cut off at the length limit. Go on from there.',
    ]);
  });

  it('holds no empty message when the model said nothing', () => {
    const items = [requested({ items: ['a'] }), scheduled(), started(), itemStarted('a')];
    const messages = shown(...items, turn([]));
    expect(messages).toHaveLength(1);
    expect(messages[0]?.role).toBe('user');
    expect(shown(...items, turn([]), turn([bash()], { turn: 2 })).map(({ role }) => role)).toEqual([
      'user',
      'assistant',
    ]);
  });

  it('restates after a compaction what must not be lost', () => {
    const items = [requested({ items: ['a', 'b'] }), scheduled(), started(), itemStarted('a')];
    const done = [...items, turn([completeItem('a')]), callCompleted(), itemCompleted('a'), itemStarted('b')];
    const [only, ...more] = told(...done, compacted('A was easy.'));
    expect(more).toEqual([]);
    for (const part of ['Do it.', '1 of 2 items completed', 'A was easy.', '"id":"b"'])
      expect(only?.[1]).toContain(part);
  });

  it('restates what runs in the background after a compaction', () => {
    const inBackground = (command: string, id: string): ModelBlock => ({
      type: 'tool_use',
      id,
      name: 'bash',
      input: { command, background: true },
    });
    const begun = [
      ...work,
      turn([inBackground('serve a', 'a'), inBackground('serve b', 'b')]),
      callCompleted('1-0'),
      callCompleted('1-1'),
    ];
    const stopped = [...begun, turn([call('stop_command', { command_id: '1-0' })], { turn: 2 }), callCompleted('2-0')];
    expect(
      told(...begun, compacted('So far.'))
        .flat()
        .join(''),
    ).toMatch(/in the background.*\n- 1-0: serve a\n- 1-1: serve b/);
    const after = told(...stopped, compacted('So far.'))
      .flat()
      .join('');
    expect(after).toContain('- 1-1: serve b');
    expect(after).not.toContain('serve a');
  });

  it('keeps messages through a compaction word for word until a turn has answered them', () => {
    const before = [...work, turn([bash()]), callCompleted(), message('Use tabs.')];
    expect(told(...before, compacted('So far.')).flat()).toContain('Use tabs.');
    expect(told(...before, message('Now.'), compacted('So far.', {}, 5)).flat()).toEqual(
      expect.arrayContaining(['Use tabs.', 'Now.']),
    );
    expect(
      told(...before, turn([bash()], { turn: 2 }), callCompleted('2-0'), compacted('So far.')).flat(),
    ).not.toContain('Use tabs.');
  });

  it('keeps news of a cap and of a server through compactions until a turn was told', () => {
    const gone = facts.discovered('mail');
    const before = [...work, turn([bash()]), callCompleted(), capNeared('steps', 4, 5), gone];
    const kept = [expect.stringContaining('of 5 steps is used'), expect.stringContaining('The server mail cannot')];
    expect(told(...before, compacted('So far.')).flat()).toEqual(expect.arrayContaining(kept));
    const twice = [...before, compacted('So far.'), compacted('So far.')];
    expect(told(...twice).flat()).toEqual(expect.arrayContaining(kept));
    const after = told(...twice, turn([bash()], { turn: 2 }), callCompleted('2-0'), compacted('So far.')).flat();
    expect(after.join('')).not.toMatch(/steps is used|The server mail/);
  });

  it('estimates the size from what the model counted and what came since', () => {
    const full = given(...work, turn([bash()], { usage: { inputTokens: 100, outputTokens: 20 } }));
    expect(full.context.tokens).toBe(120);
    expect(
      given(...work, turn([bash()], { usage: { inputTokens: 100 } }), callCompleted('1-0', 'x'.repeat(40))).context,
    ).toMatchObject({ tokens: 110 });
  });
});

describe('the request of a turn (law 6)', () => {
  const long = [
    requested({ items: ['a', 'b'] }),
    scheduled(),
    started(),
    itemStarted('a'),
    turn([text('So.'), bash('a', 'x'), completeItem('a', 'y')]),
    callStarted('1-0'),
    callStarted('1-1', 'complete_item'),
    callCompleted('1-1'),
    itemCompleted('a', '1-1'),
    itemStarted('b'),
    message('Hurry.'),
    callCompleted('1-0'),
    turn([bash()], { turn: 2 }),
    callStarted('2-0'),
    callCompleted('2-0', 'Ünïcode \ud83d\ude00'),
  ];
  const digestOf = ({ run, context }: History) => requestDigest(turnRequest(run, context, run.last.revision));
  const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value));
  const { events } = given(...long);

  it('is the same for the same log', () => {
    expect(digestOf(historyOf(events))).toBe(digestOf(historyOf(given(...long).events)));
  });

  it('is the same from events that went through JSON and their schemas', () => {
    const read = events.map((entry): Recorded<RunEvent> => {
      const schema = runEventSchemas.get(entry.event.type);
      if (!schema) throw new Error(`${entry.event.type} has no schema.`);
      return { ...entry, event: schema.parse(throughJson(entry.event)) };
    });
    expect(digestOf(historyOf(read))).toBe(digestOf(historyOf(events)));
  });

  it('is the same from a snapshot at any revision and the tail', () => {
    for (let cut = 1; cut <= events.length; cut += 1) {
      const snapshot = throughJson(historyOf(events.slice(0, cut)));
      const resumed = events.slice(cut).reduce<History>(replay, snapshot);
      expect(resumed).toEqual(historyOf(events));
      expect(digestOf(resumed)).toBe(digestOf(historyOf(events)));
    }
  });

  it('offers the tools in a fixed order, those for items only with items', () => {
    const names = (history: History) => turnRequest(history.run, history.context, 0).tools.map(({ name }) => name);
    expect(names(given(requested()).history)).toEqual(['bash', 'read_file', 'write_file', 'edit_file', 'list_files']);
    expect(names(historyOf(events)).slice(-2)).toEqual(['complete_item', 'fail_item']);
  });

  it('asks for a summary in the last message of the conversation', () => {
    const { run, context } = given(...work);
    const { messages } = compactionRequest(run, context, run.last.revision);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.content.at(-1)).toMatchObject({ text: expect.stringContaining('<compact/>') });
  });
});

describe('a context that nears the model’s window', () => {
  const small = { model: { name: 'simulator', contextTokens: 4_000 } } as never;
  const large = 'x'.repeat(6_000);
  const step = (n: number, usage: number) => [
    facts.turn([facts.bash('true', `toolu_${n}`)], { turn: n, usage: { inputTokens: usage } }),
    facts.callStarted(`${n}-0`),
    facts.callCompleted(`${n}-0`, large),
  ];
  const work = [facts.requested({ spec: small }), facts.scheduled(), facts.started()];

  it('drops old large results before anything has to be summarised', () => {
    const steps = [1, 2, 3, 4, 5].flatMap((n) => step(n, n === 5 ? 2_600 : 100));
    const { context } = given(...work, ...steps);
    const results = context.messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool_result'));
    expect(JSON.stringify(results[0])).toContain('was dropped');
    expect(JSON.stringify(results.at(-1))).toContain(large);
    expect(context.tokens).toBeLessThan(2_600 + 1_600);
  });

  it('asks for a summary in a request that fits, whatever the last results were', () => {
    const two = facts.turn([facts.bash('a', 'toolu_a'), facts.bash('b', 'toolu_b')], {
      usage: { inputTokens: 3_000 },
    });
    const { run, context, events } = given(
      ...work,
      two,
      facts.callStarted('1-0'),
      facts.callStarted('1-1'),
      facts.callCompleted('1-0', large),
      facts.callCompleted('1-1', large),
    );
    expect(context.tokens).toBeGreaterThan(4_000);
    const { messages } = compactionRequest(run, context, events.length - 1);
    expect(JSON.stringify(messages).length / 4).toBeLessThan(3_000);
    expect(messages.at(-1)?.content.filter(({ type }) => type === 'tool_result')).toHaveLength(2);
  });
});
