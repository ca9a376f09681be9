import type { Facts, LoggedEvent, RunFacts } from './facts.js';
import type { ToldIncident, ToldReport } from './told.js';
import { judge } from './verdict.js';

/*
 * One run whose child was killed in the middle of its second turn, whose machine was cut off later, and which stood still
 * once; and the report that is true of it.
 */
const AT = 1_767_600_000_000;
const [KILLED, CUT, LAST] = [4711, 4712, 4713];
const USAGE = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 0, cacheWriteTokens: 0 };

type Made = readonly [ms: number, type: string, data?: Record<string, unknown>];

const logOf = (made: readonly Made[]): readonly LoggedEvent[] =>
  made.map(([ms, type, data = {}], revision) => ({ revision, type, data, created: AT + ms }));

const turn = (ms: number, segment: number, item?: string): Made => [
  ms,
  'ModelTurnCompleted',
  {
    turn: ms,
    segment,
    usage: USAGE,
    durationMs: 50,
    content:
      item === undefined ? [] : [{ type: 'tool_use', name: 'bash', input: { command: `echo "begin ${item} 1"` } }],
  },
];
const startedBy = (pid: number, ms: number, segment: number): Made => [
  ms,
  'SegmentStarted',
  { segment, runner: { pid } },
];

const EVENTS = logOf([
  [0, 'RunRequested'],
  [10, 'SegmentScheduled', { segment: 1, because: 'requested' }],
  startedBy(KILLED, 20, 1),
  turn(1_000, 1, 'a'),
  [1_000, 'ToolCallStarted', { callId: '1000-0' }],
  [1_100, 'ToolCallCompleted', { callId: '1000-0', outcome: 'ok', durationMs: 100 }],
  [2_300, 'SegmentEnded', { segment: 1, reason: 'crashed' }],
  [2_500, 'SegmentScheduled', { segment: 2, because: 'crash' }],
  startedBy(CUT, 2_600, 2),
  turn(3_000, 2),
  [3_000, 'ItemCompleted', { itemId: 'a' }],
  turn(13_050, 2),
  [23_000, 'RunPresumedDead', { segment: 2, evidence: 'silence', silentMs: 5_000 }],
  [23_100, 'SegmentScheduled', { segment: 3, because: 'presumed-dead' }],
  startedBy(LAST, 23_200, 3),
  [23_500, 'ToolCallSettled', { callId: 'other', by: 'model' }],
  [23_600, 'SegmentEnded', { segment: 3, reason: 'finished' }],
  [23_700, 'RunCompleted'],
]);
const moment = (ms: number): string => new Date(AT + ms).toISOString();

const CRASH: ToldIncident = {
  kind: 'death',
  outcome: 'healed',
  noticedAt: moment(2_300),
  overAt: moment(3_000),
  withoutProgressMs: 1_900,
  segment: 1,
  runner: { pid: KILLED },
  times: 1,
  noticed: 'The process of segment 1 died (SIGKILL); its supervisor saw it at once.',
  lost: { tokens: 120 },
};
const STILL: ToldIncident = {
  kind: 'standstill',
  outcome: 'healed',
  noticedAt: moment(3_000),
  overAt: moment(13_000),
  withoutProgressMs: 10_000,
  segment: 2,
  times: 1,
  noticed: 'Segment 2 recorded nothing for 10.0 s.',
};
const SILENCE: ToldIncident = {
  kind: 'death',
  outcome: 'healed',
  noticedAt: moment(23_000),
  overAt: moment(23_500),
  withoutProgressMs: 10_450,
  segment: 2,
  runner: { pid: CUT },
  times: 1,
  noticed: 'Segment 2 gave no sign of life for 5.0 s; the sweeper declared it dead.',
};

const storiesOf = (incidents: readonly ToldIncident[]): ToldReport['stories'] =>
  incidents.map(({ kind, noticedAt, outcome }) => ({
    kind,
    from: noticedAt,
    incidents: 1,
    healed: Number(outcome === 'healed'),
    open: Number(outcome === 'open'),
    ended: Number(outcome === 'ended'),
    sentence: '',
  }));

const INCIDENTS = [CRASH, STILL, SILENCE];
const reportWith = (incidents: readonly ToldIncident[], change: Partial<ToldReport> = {}): ToldReport => ({
  since: moment(0),
  until: moment(30_000),
  headline: {
    runs: 1,
    completed: 1,
    failed: 0,
    halted: 0,
    cancelled: 0,
    open: 0,
    itemsDone: 1,
    itemsFailed: 0,
    segments: 3,
    steps: 3,
    deaths: 2,
    deathsHealed: 2,
    longestWithoutProgress: { ms: 10_450, run: 'r' },
    dollars: 0,
    runsWithoutPrice: 0,
    needs: 0,
  },
  needs: [],
  stories: storiesOf(incidents),
  findings: [],
  runs: [{ run: 'r', incidents, moreIncidents: 0 }],
  left: { runs: 0 },
  ...change,
});
const TRUE = reportWith(INCIDENTS);

const run = (events = EVENTS): RunFacts => ({
  id: 'r',
  items: ['a'],
  events,
  ledger: ['begin a 1', 'end a 1'],
  journal: [],
});
const absences: Facts['absences'] = [
  { pid: KILLED, how: 'killed', from: AT + 2_200 },
  { pid: CUT, how: 'cut-off', from: AT + 17_800, until: AT + 29_800 },
];
const told = (report: ToldReport, change: Partial<Facts> = {}): readonly string[] =>
  judge({ runs: [run()], samples: [], viewings: [], absences, injections: [], report, ...change }).findings.map(
    ({ kind, what }) => `${kind}: ${what}`,
  );
const instead = (of: ToldIncident, change: Partial<ToldIncident>): ToldReport =>
  reportWith(INCIDENTS.map((one) => (one === of ? { ...one, ...change } : one)));
const headed = (change: Partial<ToldReport['headline']>): ToldReport =>
  reportWith(INCIDENTS, { headline: { ...TRUE.headline, ...change } });
const NEED = { kind: 'items', run: 'r', sentence: '1 of 1 items failed.' };

describe('the checker of the report', () => {
  it('finds nothing in what is true', () => {
    expect(told(TRUE)).toEqual([]);
  });

  it('asks for no word of a process that was woken and went on', () => {
    const woken = { pid: LAST, how: 'frozen', from: AT + 23_250, until: AT + 31_000 } as const;
    expect(told(TRUE, { absences: [...absences, woken] })).toEqual([]);
  });

  it("takes what was done to an earlier process of the same number for that one's", () => {
    const earlier = { pid: KILLED, how: 'cut-off', from: AT - 60_000, until: AT - 50_000 } as const;
    expect(told(TRUE, { absences: [earlier, ...absences] })).toEqual([]);
    const lie = /^lie: the report tells of a death of segment 1 at .* that no fault explains$/;
    const others = absences.slice(1);
    expect(told(TRUE, { absences: [{ ...earlier, until: AT - 31_000 }, ...others] })).toContainEqual(
      expect.stringMatching(lie),
    );
  });

  it('takes a process that was killed for dead, whatever else was done to it', () => {
    const frozen = { pid: KILLED, how: 'frozen', from: AT + 2_201, until: AT + 10_000 } as const;
    expect(told(TRUE, { absences: [...absences, frozen] })).toEqual([]);
  });

  it('goes by when a process wrote, and not by when the log was there to take it', () => {
    const late = EVENTS.map((event) =>
      event.type === 'SegmentEnded' && event.data['reason'] === 'crashed'
        ? { ...event, data: { ...event.data, at: moment(2_300) }, created: AT + 2_450 }
        : event.created === AT + 1_000 || event.created === AT + 1_100
          ? { ...event, data: { ...event.data, at: moment(event.created - AT) }, created: AT + 2_400 }
          : event,
    );
    expect(told(TRUE, { runs: [run(late)] })).toEqual([]);
  });

  it('takes a doubt for explained that somebody finds long after the power was cut', () => {
    const doubtAt = (ms: number, callAt: number): readonly LoggedEvent[] =>
      logOf([
        [0, 'RunRequested'],
        [10, 'SegmentScheduled', { segment: 1, because: 'requested' }],
        startedBy(LAST, 20, 1),
        turn(callAt, 1, 'a'),
        [callAt, 'ToolCallStarted', { callId: '1-0' }],
        [ms, 'ToolCallInDoubt', { callId: '1-0', segment: 1 }],
        [ms, 'ToolCallSettled', { callId: '1-0', by: 'model' }],
        [ms + 100, 'ItemCompleted', { itemId: 'a' }],
        [ms + 200, 'RunCompleted'],
      ]);
    const injections = [{ kind: 'allOff', target: '', at: AT + 5_000, over: AT + 9_000, runs: ['r'] }];
    const lie = expect.stringMatching(/tells of a doubt of segment 1 at .* that no fault explains$/);
    const judged = (events: readonly LoggedEvent[]) =>
      told(reportWith([], { until: moment(90_000) }), { runs: [run(events)], absences: [], injections });
    expect(judged(doubtAt(70_000, 4_000))).not.toContainEqual(lie);
    expect(judged(doubtAt(70_000, 30_000))).toContainEqual(lie);
  });

  it.each<[string, ToldReport, RegExp]>([
    [
      'a death that is not told',
      reportWith([STILL, SILENCE]),
      /^untold: the report has no word of segment 1, whose process 4711 was killed at/,
    ],
    [
      'a machine that was cut off and is not told',
      reportWith([CRASH, STILL]),
      /^untold: the report has no word of segment 2, whose process 4712 was cut-off at/,
    ],
    [
      'a standstill that is not told',
      reportWith([CRASH, SILENCE]),
      /^untold: .* says nothing of the standstill of segment 2/,
    ],
    ['a run that is not told', reportWith(INCIDENTS, { runs: [] }), /^untold: the report says nothing of 1 runs/],
    [
      'a death that never was',
      reportWith([...INCIDENTS, { ...CRASH, noticedAt: moment(8_000) }]),
      /^lie: the report tells of a death at .* that the log does not have$/,
    ],
    [
      'a time that does not fit',
      instead(CRASH, { noticedAt: moment(6_000) }),
      /^untold: .* says nothing of the death of segment 1/,
    ],
    [
      'a death that was not mended and is called so',
      instead(CRASH, { outcome: 'ended' }),
      /^lie: the report calls ended what the log shows as healed/,
    ],
    ['a wrong number of deaths', instead(CRASH, { times: 3 }), /^lie: the report counts 3 where the log has 1/],
    ['another segment', instead(CRASH, { segment: 2 }), /^lie: the report names segment 2 instead of 1/],
    ['another process', instead(CRASH, { runner: { pid: 1 } }), /^lie: the report names process 1 instead of 4711/],
    [
      'a length that is too short',
      instead(SILENCE, { withoutProgressMs: 500 }),
      /^lie: the report says 500 of 10450 ms without progress/,
    ],
    [
      'evidence of another kind',
      instead(CRASH, { noticed: SILENCE.noticed }),
      /^lie: the report has other evidence than crashed/,
    ],
    [
      'tokens that were not paid twice',
      instead(SILENCE, { lost: { tokens: 7 } }),
      /^lie: the report says that 7 tokens were paid twice, where it is 0/,
    ],
    ['tokens that were', instead(CRASH, { lost: undefined }), /says that 0 tokens were paid twice, where it is 120/],
    ['money that nobody paid', headed({ dollars: 0.2 }), /^lie: the report counts 0.2 dollars, where it is 0$/],
    ['a wrong count', headed({ deaths: 1 }), /^lie: the report counts 1 deaths, where it is 2$/],
    ['a wrong count of items', headed({ itemsDone: 2 }), /^lie: the report counts 2 itemsDone, where it is 1$/],
    [
      'a longest time that is not the longest',
      headed({ longestWithoutProgress: { ms: 1_900, run: 'r' } }),
      /^lie: the report says that the longest time without progress was 1900 ms/,
    ],
    [
      'a need that is none',
      reportWith(INCIDENTS, { needs: [NEED], headline: { ...TRUE.headline, needs: 1 } }),
      /^lie: the report asks for a person without need: items r$/,
    ],
    ['needs that are not there', headed({ needs: 2 }), /^lie: the report counts 2 needs and names 0$/],
    [
      'an incident in two stories',
      reportWith(INCIDENTS, { stories: storiesOf([...INCIDENTS, CRASH]) }),
      /^lie: the report has 3 healed death in its stories and 2 in its runs$/,
    ],
  ])('finds %s', (_, report, finding) => {
    expect(told(report)).toContainEqual(expect.stringMatching(finding));
  });

  it('finds a death that no fault explains', () => {
    const lie = /^lie: the report tells of a death of segment 1 at .* that no fault explains$/;
    expect(told(TRUE, { absences: absences.slice(1) })).toContainEqual(expect.stringMatching(lie));
  });

  it('finds a crash told of a process that only stood still, and a silence longer than the fault', () => {
    const frozen = { pid: KILLED, how: 'frozen', from: AT + 2_200, until: AT + 2_900 } as const;
    expect(told(TRUE, { absences: [frozen, ...absences.slice(1)] })).toContainEqual(
      expect.stringMatching(/^lie: the report tells of a crash where the process was frozen/),
    );
    const late = { pid: CUT, how: 'cut-off', from: AT + 22_000, until: AT + 29_800 } as const;
    expect(told(TRUE, { absences: [...absences.slice(0, 1), late] })).toContainEqual(
      expect.stringMatching(/^lie: the report says that it was silent for 5000 ms, 1000 ms after the fault/),
    );
  });

  it('takes a process for gone that was killed, and finds that told of one that only stood still', () => {
    const gone = EVENTS.map((event) =>
      event.type === 'RunPresumedDead' ? { ...event, data: { ...event.data, evidence: 'process-gone' } } : event,
    );
    const noticed = 'Segment 2 was gone: its process was not there any more, after 5.0 s without a sign of life.';
    const report = reportWith([CRASH, STILL, { ...SILENCE, noticed }]);
    const on = (how: 'killed' | 'frozen') =>
      told(report, {
        runs: [run(gone)],
        absences: [...absences.slice(0, 1), { pid: CUT, how, from: AT + 17_000, until: AT + 29_800 }],
      });
    expect(on('killed')).toEqual([]);
    expect(on('frozen')).toEqual([
      expect.stringMatching(/^lie: the report tells of a process that was gone where the process was frozen/),
    ]);
    expect(told(TRUE, { runs: [run(gone)] })).toContainEqual(
      expect.stringMatching(/^lie: the report has other evidence than process-gone/),
    );
  });

  it('finds an item that failed and of which no person is told', () => {
    const failed = EVENTS.map((event) => (event.type === 'ItemCompleted' ? { ...event, type: 'ItemFailed' } : event));
    expect(told(TRUE, { runs: [run(failed)] })).toContainEqual(
      'lie: the report does not say that a person is needed: items r',
    );
  });
});
