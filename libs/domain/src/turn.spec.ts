import { millisOf, momentOf } from '#contracts';
import { facts, given } from '#testing';
import { type History, openingEvents, type SegmentEvent, withCalls } from './index.js';

const { requested, scheduled, started, itemStarted, itemCompleted, itemFailed, turn, bash, call, completeItem } = facts;
const { callStarted, callCompleted } = facts;

const digestOf = () => '0'.repeat(64);
const working = (items: readonly string[]) =>
  given(requested({ items, input: '' }), scheduled(), started(), ...items.slice(0, 1).map((id) => itemStarted(id)));
const answering =
  (...content: Parameters<typeof turn>[0]) =>
  ({ run }: History, now: number) => {
    const at = momentOf(now);
    const completed = turn(content)(at, run.last.revision + 1) as SegmentEvent;
    return withCalls(run, completed, { segment: 1, at }, digestOf);
  };
const ok = (open: string, of: number, place = '1-0') => callCompleted(place, `Recorded. ${open} of ${of} still open.`);

describe('recording a turn with its calls', () => {
  it('writes a call to the workspace ahead of its effect', () => {
    working([])
      .when(answering(bash('ls')))
      .records(turn([bash('ls')]), callStarted());
  });

  it('settles an item on the spot and announces the next', () => {
    const content = [completeItem('a')];
    working(['a', 'b'])
      .when(answering(...content))
      .records(
        turn(content),
        callStarted('1-0', 'complete_item'),
        ok('1 item', 2),
        itemCompleted('a'),
        itemStarted('b'),
      );
  });

  it('records a failed item with its reason', () => {
    const content = [call('fail_item', { item_id: 'a', reason: 'It is empty.' })];
    working(['a'])
      .when(answering(...content))
      .records(turn(content), callStarted('1-0', 'fail_item'), ok('0 items', 1), itemFailed('a', 'It is empty.'));
  });

  it('settles each of several items of one turn once, in the order of the model', () => {
    const content = [completeItem('a', 'x'), completeItem('b', 'y'), completeItem('a', 'z')];
    working(['a', 'b', 'c'])
      .when(answering(...content))
      .records(
        turn(content),
        callStarted('1-0', 'complete_item'),
        ok('2 items', 3),
        itemCompleted('a'),
        itemStarted('b'),
        callStarted('1-1', 'complete_item'),
        ok('1 item', 3, '1-1'),
        itemCompleted('b', '1-1'),
        itemStarted('c'),
        callStarted('1-2', 'complete_item'),
        callCompleted('1-2', 'The item "a" was settled before (done).', 'error'),
      );
  });

  it('shows the item in work once more, and that none is open', () => {
    const content = [call('next_item', {}, 'x'), completeItem('b', 'y'), call('next_item', {}, 'z')];
    const item = '<item>{"id":"b","number":2,"of":2,"input":{"path":"b.txt"}}</item>';
    const spec = { tools: ['next_item' as const] };
    given(requested({ items: ['a', 'b'], spec }), scheduled(), started(), itemFailed('a'), itemStarted('b'))
      .when(answering(...content))
      .records(
        turn(content),
        callStarted('1-0', 'next_item'),
        callCompleted('1-0', `0 of 2 items completed, 1 failed, 1 open.\nThe current item:\n${item}`),
        callStarted('1-1', 'complete_item'),
        ok('0 items', 2, '1-1'),
        itemCompleted('b', '1-1'),
        callStarted('1-2', 'next_item'),
        callCompleted('1-2', '1 of 2 items completed, 1 failed, 0 open.\n<no-open-items/>\nClose with a short report.'),
      );
  });

  it('settles an item out of turn and keeps the one in work', () => {
    const content = [completeItem('b')];
    working(['a', 'b'])
      .when(answering(...content))
      .records(turn(content), callStarted('1-0', 'complete_item'), ok('1 item', 2), itemCompleted('b'));
  });

  it('answers a call for an unknown item', () => {
    const content = [completeItem('z')];
    working(['a'])
      .when(answering(...content))
      .records(
        turn(content),
        callStarted('1-0', 'complete_item'),
        callCompleted('1-0', 'There is no item "z".', 'error'),
      );
  });

  it('starts nothing whose input is wrong or whose tool does not exist', () => {
    const content = [call('bash', { cmd: 'ls' }, 'x'), call('launch', {}, 'y')];
    const { decided } = working([]).when(answering(...content));
    expect(decided.map(({ type }) => type)).toEqual(['ModelTurnCompleted', 'ToolCallCompleted', 'ToolCallCompleted']);
    expect(decided.slice(1)).toMatchObject([
      { data: { callId: '1-0', outcome: 'rejected', content: [{ text: expect.stringContaining('command: ') }] } },
      {
        data: { callId: '1-1', outcome: 'rejected', content: [{ text: expect.stringContaining('no tool "launch"') }] },
      },
    ]);
  });

  it('offers the item tools only to runs with items', () => {
    const { decided } = working([]).when(answering(completeItem('a')));
    expect(decided[1]).toMatchObject({ data: { outcome: 'rejected' } });
  });

  it('begins every asked call once: after its events are recorded none is left to begin', () => {
    const content = [bash('a', 'x'), completeItem('a', 'y')];
    const { run } = given(requested({ items: ['a'] }), scheduled(), started(), itemStarted('a'), turn(content));
    const at = { segment: 1, at: momentOf(millisOf(run.last.at) + 1) };
    expect(openingEvents(run, at, digestOf).map(({ type }) => type)).toEqual([
      'ToolCallStarted',
      'ToolCallStarted',
      'ToolCallCompleted',
      'ItemCompleted',
    ]);
    const begun = given(
      requested({ items: ['a'] }),
      scheduled(),
      started(),
      itemStarted('a'),
      turn(content),
      callStarted('1-0'),
      callStarted('1-1', 'complete_item'),
      callCompleted('1-1'),
      itemCompleted('a', '1-1'),
    );
    expect(openingEvents(begun.run, at, digestOf)).toEqual([]);
  });
});
