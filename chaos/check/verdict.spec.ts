import type { Facts, LoggedEvent, RunFacts, Sample } from './facts.js';
import { judge } from './verdict.js';

const AT = 1_767_600_000_000;
const PID = 4711;

type Made = readonly [type: string, data?: Record<string, unknown>];

/** A log of these events, one every 100 ms. */
const logOf = (...made: readonly Made[]): readonly LoggedEvent[] =>
  made.map(([type, data = {}], revision) => ({ revision, type, data, created: AT + 100 * revision }));

const turn = (number: number, item: string): Made => [
  'ModelTurnCompleted',
  {
    turn: number,
    content: [{ type: 'tool_use', name: 'bash', input: { command: `echo "begin ${item} 1" >> ledger && sleep 1` } }],
  },
];
const started = (callId: string): Made => ['ToolCallStarted', { callId }];
const completed = (callId: string, outcome = 'ok'): Made => ['ToolCallCompleted', { callId, outcome }];
const done = (itemId: string): Made => ['ItemCompleted', { itemId, callId: '9-9' }];

const HISTORY = logOf(
  ['RunRequested'],
  ['SegmentScheduled', { segment: 1, because: 'requested' }],
  ['SegmentStarted', { segment: 1 }],
  turn(1, 'a'),
  started('1-0'),
  completed('1-0'),
  done('a'),
  ['SegmentEnded', { segment: 1, reason: 'crashed' }],
  ['SegmentScheduled', { segment: 2, because: 'crash' }],
  ['SegmentStarted', { segment: 2 }],
  turn(2, 'b'),
  started('2-0'),
  completed('2-0'),
  done('b'),
  ['SegmentEnded', { segment: 2, reason: 'finished' }],
  ['RunCompleted'],
);
const LEDGER = ['begin a 1', 'end a 1', 'begin b 1', 'end b 1'];

const aRun = (change: Partial<RunFacts> = {}): RunFacts => ({
  id: 'r',
  items: ['a', 'b'],
  events: HISTORY,
  ledger: LEDGER,
  journal: ['1-0', '2-0'].map((callId) => ({ callId, attempt: 1, executions: 1 })),
  ...change,
});
const factsOf = (run: RunFacts, change: Partial<Facts> = {}): Facts => ({
  runs: [run],
  samples: [],
  viewings: [],
  absences: [],
  injections: [],
  ...change,
});
const told = (facts: Facts): readonly string[] => judge(facts).findings.map(({ kind, what }) => `${kind}: ${what}`);

/** The same log without the event at `place`, or with others in its stead; numbered anew. */
const without = (place: number, ...instead: readonly Made[]): readonly LoggedEvent[] =>
  logOf(
    ...HISTORY.toSpliced(place, 1)
      .map(({ type, data }): Made => [type, { ...data }])
      .toSpliced(place, 0, ...instead),
  );

describe('the checker', () => {
  it('finds nothing in four accounts that agree', () => {
    const { verdict, findings } = judge(factsOf(aRun()));
    expect(findings).toEqual([]);
    expect(verdict).toMatchObject({ runs: 1, finished: 1, items: 2, lost: 0, doubled: 0, inDoubt: 0, lies: 0 });
  });

  it.each<[string, Partial<RunFacts>, RegExp]>([
    ['a note that is missing', { ledger: LEDGER.slice(0, 3) }, /^lost: call 2-0 \(b 1\) is done and has left no note$/],
    ['a note that no call has made', { ledger: [...LEDGER, 'begin c 1'] }, /^lost: the note "begin c 1" belongs to no/],
    ['a result that is missing', { events: without(12) }, /^lost: call 2-0 .* neither a result nor a doubt$/],
    ['an item that was never settled', { events: without(13) }, /^lost: item b is not settled/],
    [
      'a start that is missing',
      { events: without(11) },
      /^lost: call 2-0 \(b 1\) was carried out and is not in the log$/,
    ],
    ['an event that is missing', { events: HISTORY.toSpliced(5, 1) }, /^lost: revision 5 is missing$/],
    [
      'an item done without work',
      { events: without(13, done('b'), done('c')), items: ['a', 'b', 'c'] },
      /^lost: item c is done and no command was run/,
    ],
    [
      'an item given up for no reason',
      { events: without(13, ['ItemFailed', { itemId: 'b' }]) },
      /^lost: item b failed although/,
    ],
    [
      'an item done although its command failed',
      { events: without(12, completed('2-0', 'error')) },
      /^lost: item b is done although/,
    ],
    [
      'a note that is there twice',
      { ledger: [...LEDGER, 'end b 1'] },
      /^doubled: call 2-0 \(b 1\) noted itself 1 and 2 times$/,
    ],
    [
      'a beginning that is there twice',
      { ledger: [...LEDGER, 'begin b 1'] },
      /^doubled: call 2-0 \(b 1\) noted itself 2 and 1 times$/,
    ],
    [
      'a call that was started twice',
      { events: without(11, started('2-0'), started('2-0')) },
      /^doubled: ToolCallStarted of 2-0/,
    ],
    [
      'a result that came twice',
      { events: without(12, completed('2-0'), completed('2-0')) },
      /^doubled: ToolCallCompleted of 2-0/,
    ],
    [
      'the same command in two calls',
      { events: without(10, turn(2, 'a')) },
      /^doubled: the command a 1 was asked for again/,
    ],
    ['an item settled twice', { events: without(13, done('b'), done('b')) }, /^doubled: item b was settled 2 times$/],
    [
      'a second end',
      { events: [...HISTORY, ...logOf(...HISTORY.map((): Made => ['x']), ['RunFailed']).slice(-1)] },
      /^doubled: RunFailed \(16\) follows the end$/,
    ],
    [
      'a segment begun twice',
      { events: without(9, ['SegmentStarted', { segment: 1 }]) },
      /^doubled: segment 1 was begun twice$/,
    ],
    ['two segments at once', { events: without(7) }, /^doubled: two segments work at revision/],
    [
      'work of a segment that is over',
      { events: without(8, ['ToolCallInDoubt', { callId: '9-9', segment: 1 }]) },
      /^doubled: ToolCallInDoubt \(8\) is of segment 1, which is not at work$/,
    ],
    [
      'two executions in the journal',
      { journal: [{ callId: '1-0', attempt: 1, executions: 2 }] },
      /^doubled: the journal has 2/,
    ],
    [
      'a run without an end',
      { events: HISTORY.slice(0, -1) },
      /^unfinished: has no end; its last event is SegmentEnded/,
    ],
    [
      'a run that was halted',
      { events: without(15, ['RunHalted', { reason: 'cap' }]) },
      /^unfinished: ended with RunHalted: cap$/,
    ],
  ])('finds %s', (_, change, finding) => {
    expect(told(factsOf(aRun(change)))).toContainEqual(expect.stringMatching(finding));
  });

  it('counts a call in doubt, and calls its item neither lost nor doubled', () => {
    const events = without(
      12,
      ['ToolCallInDoubt', { callId: '2-0' }],
      ['ToolCallSettled', { callId: '2-0', by: 'model' }],
    );
    const { verdict, findings } = judge(factsOf(aRun({ events, ledger: LEDGER.slice(0, 3) })));
    expect(findings).toEqual([]);
    expect(verdict.inDoubt).toBe(1);
  });

  it('takes a command that failed for what it is', () => {
    const events = logOf(
      ...without(12, completed('2-0', 'error')).map(
        ({ type, data }): Made =>
          type === 'ItemCompleted' && data['itemId'] === 'b' ? ['ItemFailed', { itemId: 'b' }] : [type, { ...data }],
      ),
    );
    const { verdict, findings } = judge(factsOf(aRun({ events, ledger: LEDGER.slice(0, 3) })));
    expect(findings).toEqual([]);
    expect(verdict.failedItems).toBe(1);
  });
});

describe('the checker of statuses', () => {
  /** What is true at revision 10, when it has just been recorded. */
  const TRUE: Sample = {
    run: 'r',
    askedAt: AT + 1_000,
    status: 'working',
    revision: 10,
    type: 'ModelTurnCompleted',
    done: 1,
    failed: 0,
    segment: 2,
    pid: PID,
    verdict: 'alive',
  };
  const said = (change: Partial<Sample>, absences: Facts['absences'] = []): readonly string[] =>
    told(factsOf(aRun(), { samples: [{ ...TRUE, ...change }], absences }));

  it('finds nothing in what is true', () => {
    expect(said({})).toEqual([]);
    expect(said({ status: 'recovering', revision: 7, type: 'SegmentEnded', askedAt: AT + 700 })).toEqual([]);
    expect(said({}, [{ pid: PID, how: 'killed', from: AT - 3_000 }])).toEqual([]);
    expect(said({}, [{ pid: PID, how: 'killed', from: AT - 9_000, until: AT }])).toEqual([]);
    expect(said({ verdict: 'silent' }, [{ pid: PID, how: 'killed', from: AT - 9_000 }])).toEqual([]);
  });

  it('knows that the number of a killed process is given to another one, after a while', () => {
    const events = HISTORY.map((event) =>
      event.type === 'SegmentStarted' ? { ...event, data: { ...event.data, runner: { pid: PID } } } : event,
    );
    const saidAfter = (ms: number): readonly string[] =>
      told(
        factsOf(aRun({ events }), { samples: [TRUE], absences: [{ pid: PID, how: 'killed', from: AT + 900 - ms }] }),
      );
    expect(saidAfter(40_000)).toEqual([]);
    // It has begun its segment 900 ms after the beginning of the log: what it had sent was recorded after it was killed.
    expect(saidAfter(6_000)).toEqual([
      expect.stringMatching(/process 4711 is called alive, 6100 ms after it was gone/),
    ]);
  });

  it.each<[string, Partial<Sample>, RegExp]>([
    [
      'an event that is not there',
      { type: 'RunCompleted' },
      /rests on RunCompleted \(10\), where the log has ModelTurn/,
    ],
    ['an old state', { askedAt: AT + 4_000 }, /rests on revision 10, 2900 ms after the log had ToolCallStarted/],
    ['items that are not done', { done: 2 }, /counts 2 items done at revision 10, the log has 1/],
    ['items that did not fail', { failed: 1 }, /counts 1 items failed at revision 10, the log has 0/],
    [
      'an end that has not come',
      { status: 'completed' },
      /is completed at revision 10, where starting or working is true/,
    ],
    [
      'work after the end',
      { revision: 15, type: 'RunCompleted', done: 2 },
      /is working at revision 15, where completed is true/,
    ],
    [
      'work while nobody works',
      { revision: 7, type: 'SegmentEnded' },
      /is working at revision 7, where recovering is true/,
    ],
  ])('finds %s', (_, change, lie) => {
    expect(said(change)).toContainEqual(expect.stringMatching(lie));
  });

  it('finds a process called alive that has been gone for longer than the patience', () => {
    const lie = /process 4711 is called alive, 6000 ms after it was gone/;
    expect(said({}, [{ pid: PID, how: 'killed', from: AT - 5_000 }])).toContainEqual(expect.stringMatching(lie));
  });
});

describe('the checker of viewers', () => {
  const seenBy = (events: readonly LoggedEvent[]): readonly string[] =>
    told(factsOf(aRun(), { viewings: [{ run: 'r', way: 'sse', drops: 3, events }] }));

  it.each<[string, readonly LoggedEvent[], RegExp]>([
    ['has missed one', HISTORY.toSpliced(4, 1), /has seen revision 5 where 4 comes/],
    ['has seen one twice', HISTORY.toSpliced(4, 0, ...HISTORY.slice(3, 4)), /has seen revision 3 where 4 comes/],
    ['has not come to the end', HISTORY.slice(0, -1), /has not seen RunCompleted \(15\)/],
    [
      'was shown something else',
      HISTORY.with(6, { ...(HISTORY[6] as LoggedEvent), data: {} }),
      /another ItemCompleted/,
    ],
  ])('finds one who %s', (_, events, lie) => {
    expect(seenBy(events)).toEqual([expect.stringMatching(lie)]);
  });

  it('finds nothing in the whole log', () => {
    expect(seenBy(HISTORY)).toEqual([]);
  });
});

describe('the measure of recoveries', () => {
  const injected = (kind: string, at: number, over = at) => ({ kind, target: '', at, over, runs: ['r'] });

  it('is the longest time without a step that began with the fault or shortly after it', () => {
    // Steps are at 300, 500, 1000 and 1200 ms.
    const { verdict } = judge(factsOf(aRun(), { injections: [injected('child', AT + 320)] }));
    expect(verdict.recovery).toEqual({ child: { count: 1, p50Ms: 500, p99Ms: 500, mostMs: 500 } });
    expect(verdict.faults).toEqual({ child: 1 });
    expect(verdict.longestStillMs).toBe(500);
  });

  it.each([
    ['one that ran when it struck', [100], [], 300],
    ['one that ran after it', [], [100], 280],
    ['two at the same time', [250], [80], 120],
    ['one of which nobody knows how long it ran', [], [], 380],
  ])('leaves out the time of commands: %s', (_, [first], [second], idle) => {
    const call = (callId: string, durationMs?: number): Made => ['ToolCallCompleted', { callId, durationMs }];
    // The commands begin at 100 and at 300 ms, the fault strikes at 120, the next steps are at 500 and 600.
    const events = logOf(['x'], started('1'), ['x'], started('2'), ['x'], call('1', first), call('2', second));
    const { verdict } = judge(factsOf(aRun({ events }), { injections: [injected('child', AT + 120)] }));
    expect(verdict.recovery['child']?.mostMs).toBe(idle);
  });

  it.each([
    ['one that was recorded at once', 500, 280],
    ['one that the log took later', 200, 300],
  ])('leaves out the time in which the model answered: %s', (_, answeredAt, idle) => {
    const at = new Date(AT + answeredAt).toISOString();
    // The fault strikes at 160 ms; the answer, which took 60 ms, is in the log at 500.
    const answered: Made = ['ModelTurnCompleted', { at, durationMs: 60, content: [] }];
    const events = logOf(['x'], ['x'], ['x'], ['x'], ['x'], answered);
    const { verdict } = judge(factsOf(aRun({ events }), { injections: [injected('child', AT + 160)] }));
    expect(verdict.recovery['child']?.mostMs).toBe(idle);
  });

  it('tells faults that struck together as such', () => {
    const injections = [injected('bus', AT + 320, AT + 900), injected('log', AT + 400, AT + 600)];
    expect(Object.keys(judge(factsOf(aRun(), { injections })).verdict.recovery)).toEqual(['together']);
  });
});
