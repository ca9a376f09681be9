import { HttpTool } from '#contracts';
import { facts, recorded } from '#testing';
import type { JournalledCall } from '../demo/journal.js';
import type { Evidence, FileMark } from './evidence.js';
import { expectedOf } from './expected.js';
import { judge } from './verdict.js';

type Fact = Parameters<typeof recorded>[0][number];

const { requested, scheduled, started, turn, bash, call, callStarted, callCompleted, callInDoubt, callSettled } = facts;
const { itemCompleted, ended, completed, runFailed } = facts;

const http = [
  HttpTool.parse({ name: 'refund', description: 'Pays back.', method: 'POST', url: 'https://example.org/refunds' }),
];
/** The same fact, recorded by another segment. */
const inSegment =
  (fact: Fact, segment: number): Fact =>
  (at, revision) => {
    const event = fact(at, revision);
    return 'segment' in event.data ? ({ ...event, data: { ...event.data, segment } } as typeof event) : event;
  };

const BEGINNING: readonly Fact[] = [requested({ items: ['a', 'b'], spec: { http } }), scheduled(1), started(1)];
const FIRST: readonly Fact[] = [turn([bash('work a', 't1')]), callStarted('1-0'), callCompleted('1-0')];
const REST: readonly Fact[] = [
  itemCompleted('a'),
  turn([bash('work b', 't2')], { turn: 2 }),
  callStarted('2-0'),
  callCompleted('2-0'),
  itemCompleted('b', '2-0'),
  ended('finished'),
];
const END = completed(2, 2, 0, 'Done.');
const UNDISTURBED: readonly Fact[] = [...BEGINNING, ...FIRST, ...REST, END];

const known = (callId: string, executions = 1): JournalledCall =>
  ({ callId, tool: 'bash', executions, state: 'finished' }) as unknown as JournalledCall;
const file = (content: string): FileMark => ({ digest: content, lines: content.split('\n').length - 1 });

const evidence = (changes: { readonly facts?: readonly Fact[] } & Partial<Evidence> = {}): Evidence => {
  const { facts: history = UNDISTURBED, ...others } = changes;
  const events = recorded([...history]).map((one) =>
    'segment' in one.event.data && !['SegmentScheduled', 'RunPresumedDead'].includes(one.event.type)
      ? { ...one, metadata: { ...one.metadata, actor: { kind: 'segment' as const, id: 'runner' } } }
      : one,
  );
  const files = new Map([['ledger', file('a\nb\n')]]);
  return { events, journal: [known('1-0'), known('2-0')], files, ...others };
};
const expected = expectedOf(evidence(), evidence());
const judged = (changes: Parameters<typeof evidence>[0]) => {
  const { findings, unsafe } = judge(expected, evidence(changes));
  // The turns of these histories have no real request: their digests are none.
  const told = findings.filter(({ sentence }) => !sentence.startsWith('The request of turn'));
  return { kinds: told.map(({ kind }) => kind), sentences: told.map(({ sentence }) => sentence), unsafe };
};

describe('the verdict on a disturbed run', () => {
  it('finds nothing in a run that was not disturbed, and nothing in one that died and went on', () => {
    expect(judged({})).toEqual({ kinds: [], sentences: [], unsafe: [] });
    const died = [...BEGINNING, ...FIRST.slice(0, 2), ended('crashed'), scheduled(2, 'crash'), started(2)];
    const wentOn = [inSegment(callCompleted('1-0'), 2), ...REST.map((fact) => inSegment(fact, 2)), END];
    expect(judged({ facts: [...died, ...wentOn] }).sentences).toEqual([]);
  });

  it.each<[string, Parameters<typeof evidence>[0], RegExp]>([
    ['a run that has not ended', { facts: UNDISTURBED.slice(0, -1) }, /has not ended/],
    ['a run that has failed', { facts: [...UNDISTURBED.slice(0, -1), runFailed('No.')] }, /RunFailed.*No\./],
    ['an item that is not settled', { facts: UNDISTURBED.filter((_, place) => place !== 10) }, /item b is not settled/],
    ['a result without an execution', { journal: [known('1-0')] }, /2-0, which was never carried out/],
    [
      'an execution without an end in the log',
      { journal: [known('1-0'), known('2-0'), known('9-0')] },
      /9-0 was carried out, and its end is not in the log/,
    ],
    ['a file that is missing', { files: new Map() }, /ledger is missing/],
    ['a file with fewer lines', { files: new Map([['ledger', file('a\n')]]) }, /1 lines instead of 2/],
  ])('finds what is lost: %s', (_, changes, sentence) => {
    const { kinds, sentences } = judged(changes);
    expect(kinds).toContain('lost');
    expect(sentences.join('\n')).toMatch(sentence);
  });

  it.each<[string, Parameters<typeof evidence>[0], RegExp]>([
    ['two ends', { facts: [...UNDISTURBED, END] }, /ended 2 times/],
    ['an event after the end', { facts: [...UNDISTURBED, scheduled(2)] }, /After RunCompleted came/],
    [
      'an item that is settled twice',
      { facts: [...UNDISTURBED.slice(0, 7), ...REST, END] },
      /item a is settled 2 times/,
    ],
    ['an execution too many', { journal: [known('1-0', 2), known('2-0')] }, /1-0 .* 2 times/],
    [
      'a call that was started again without a doubt',
      { facts: [...BEGINNING, ...FIRST.slice(0, 2), callStarted('1-0'), callCompleted('1-0'), ...REST, END] },
      /1-0 is started 2 times/,
    ],
    [
      'a call with two results',
      { facts: [...BEGINNING, ...FIRST, callCompleted('1-0'), ...REST, END] },
      /1-0 has two results/,
    ],
    ['a file with more lines', { files: new Map([['ledger', file('a\na\nb\n')]]) }, /3 lines instead of 2/],
    [
      'what a segment writes that is over',
      { facts: [...BEGINNING, ended('crashed'), scheduled(2, 'crash'), started(2), ...FIRST, ...REST, END] },
      /Segment 1 has written event \d+ in the time of 2/,
    ],
  ])('finds what is doubled: %s', (_, changes, sentence) => {
    const { kinds, sentences } = judged(changes);
    expect(kinds).toContain('doubled');
    expect(sentences.join('\n')).toMatch(sentence);
  });

  it('finds another result and another content', () => {
    expect(judged({ facts: [...UNDISTURBED.slice(0, -1), completed(2, 2, 0, 'Other.')] }).kinds).toEqual(['changed']);
    expect(judged({ files: new Map([['ledger', file('a\nc\n')]]) }).kinds).toEqual(['changed']);
  });

  it('leaves out what two undisturbed runs do not share', () => {
    const other = evidence({
      facts: [...UNDISTURBED.slice(0, -1), completed(2, 2, 0, 'At nine.')],
      files: new Map([['ledger', file('x\n')]]),
    });
    const lenient = expectedOf(evidence(), other);
    expect(lenient.leftOut).toEqual([expect.stringMatching(/^the result/), expect.stringMatching(/ledger$/)]);
    expect(judge(lenient, other).findings.filter(({ kind }) => kind !== 'changed')).toEqual([]);
    expect(judge(lenient, evidence({ files: new Map() })).findings.map(({ kind }) => kind)).not.toContain('lost');
  });
});

describe('a tool that is not safe to repeat', () => {
  const refund = (settled: readonly Fact[]): readonly Fact[] => [
    ...BEGINNING,
    turn([call('refund')]),
    callStarted('1-0', 'refund'),
    callInDoubt('1-0'),
    ...settled,
    ...REST,
    END,
  ];

  it('is named with the reason and the way out, and is no loss', () => {
    const { unsafe, kinds } = judged({ facts: refund([callSettled('1-0', 'Done.', 'person')]) });
    expect(kinds).toEqual([]);
    expect(unsafe).toMatchObject([{ tool: 'refund', callId: '1-0', settledBy: 'person' }]);
    expect(unsafe[0]?.wayOut).toMatch(/probe.*effects: \{ refund: \{ effect: idempotent \} \}/);
  });

  it('is none when its probe has said what happened', () => {
    expect(judged({ facts: refund([callSettled('1-0', 'Done.', 'probe')]) }).unsafe).toEqual([]);
  });

  it('is none when the call could be repeated', () => {
    const repeated = [callStarted('1-0', 'refund', 1, 2), callCompleted('1-0')];
    expect(judged({ facts: refund(repeated) }).unsafe).toEqual([]);
  });
});
