import { type Incident, momentOf, type Report, type RunEvent, RunId, type Usage } from '#contracts';
import { facts, record, recorded } from '#testing';
import { entered, type Ledger, openLedger } from './account.js';
import { reportOf } from './report.js';

const {
  approvalDenied,
  approvalGranted,
  approvalRequested,
  BEGIN,
  bash,
  call,
  callCompleted,
  callInDoubt,
  callSettled,
  callStarted,
  cancelled,
  cancelRequested,
  capsRaised,
  completed,
  ended,
  halted,
  itemFailed,
  presumedDead,
  reopened,
  requested,
  runFailed,
  runner,
  scheduled,
  started,
  text,
  turn,
  turnFailed,
} = facts;
type Fact = facts.Fact;

const run = RunId.parse('0198a6a2-0000-7000-8000-000000000001');
const other = RunId.parse('0198a6a2-0000-7000-8000-000000000002');
const PRICE = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
const USAGE: Partial<Usage> = { inputTokens: 1_000, outputTokens: 100 };

const ledgerOf = (story: readonly Fact[], since = BEGIN): Ledger =>
  recorded(story).reduce<Ledger>(entered, openLedger(momentOf(since)));

/** The report of runs with these histories, `afterMs` after the beginning. */
function reported(histories: readonly (readonly Fact[])[], afterMs = 600_000, since = BEGIN): Report {
  const ledgers = new Map(
    histories.map((story, place) => [place === 0 ? run : other, ledgerOf(story, since)] as const),
  );
  const around = {
    since: momentOf(since),
    until: momentOf(BEGIN + afterMs),
    findings: [],
    unreadable: [],
    leftRuns: 0,
  };
  return reportOf(ledgers, around);
}

const incidentsOf = (story: readonly Fact[], afterMs?: number): readonly Incident[] =>
  reported([story], afterMs).runs[0]?.incidents ?? [];

/** An event that comes later than the second after the one before. */
const later =
  (fact: Fact, ms: number): Fact =>
  (at, revision) => {
    const event = fact(at, revision);
    return { ...event, data: { ...event.data, at: momentOf(Date.parse(at) + ms) } } as RunEvent;
  };

const priced = (segment = 1): Fact => {
  const fact = started(segment);
  return (at, revision) => {
    const event = fact(at, revision);
    return { ...event, data: { ...event.data, price: PRICE } } as RunEvent;
  };
};

const FIRST = [requested({ items: ['a', 'b'] }), scheduled(), priced(), turn([bash()]), callStarted(), callCompleted()];

describe('incidents of a run', () => {
  it('has none to tell of a run that just worked', () => {
    const report = reported([[...FIRST, turn([text('Done.')], { turn: 2 }), ended('finished'), completed(2, 2)]]);
    expect(report.runs[0]?.incidents).toEqual([]);
    expect(report.headline).toMatchObject({ runs: 1, completed: 1, deaths: 0, needs: 0, segments: 1, steps: 2 });
    expect(report.stories).toEqual([]);
  });

  it('tells a death with its evidence, what was done, how long nothing went on and what was paid twice', () => {
    const [death] = incidentsOf([
      ...FIRST,
      ended('crashed', 1, 'SIGKILL'),
      scheduled(2, 'crash'),
      priced(2),
      turn([text('On.')], { turn: 2, segment: 2, usage: USAGE }),
    ]);
    expect(death).toMatchObject({
      kind: 'death',
      outcome: 'healed',
      segment: 1,
      times: 1,
      stillSince: momentOf(BEGIN + 5_000),
      withoutProgressMs: 4_000,
      lost: { tokens: 1_100, dollars: 0.0045 },
    });
    expect(death?.noticed).toBe(
      `The process of segment 1 (process ${runner.pid} on ${runner.host}) died (SIGKILL); its supervisor saw it at once.`,
    );
    expect(death?.done).toBe(`Segment 2 was scheduled after 1.0 s. It started on process ${runner.pid} after 2.0 s.`);
  });

  it('tells a presumed death by the silence that was heard, and that a running call was collected', () => {
    const collected: Fact = (at, revision) => {
      const event = callCompleted('2-0')(at, revision);
      return { ...event, data: { ...event.data, segment: 2, collected: true } } as RunEvent;
    };
    const [death] = incidentsOf([
      ...FIRST,
      turn([bash()], { turn: 2 }),
      callStarted('2-0'),
      presumedDead(),
      scheduled(2, 'presumed-dead'),
      started(2),
      collected,
    ]);
    expect(death).toMatchObject({ kind: 'death', outcome: 'healed' });
    expect(death?.noticed).toContain('gave no sign of life for 5.0 s; the sweeper declared it dead.');
    expect(death?.done).toContain('The call 2-0 had gone on in the workspace and was collected.');
    expect(death?.lost).toBeUndefined();
  });

  it('counts deaths without a step between as one incident, which ends with the run that is halted', () => {
    const report = reported([
      [
        requested(),
        scheduled(),
        started(),
        ended('crashed'),
        scheduled(2, 'crash', 1),
        started(2),
        presumedDead(2),
        halted('restartsWithoutProgress', 'It reached its limit of 2 restarts (caps.restartsWithoutProgress).'),
      ],
    ]);
    const [death, halt] = report.runs[0]?.incidents ?? [];
    expect(death).toMatchObject({ kind: 'death', times: 2, outcome: 'ended', stillSince: momentOf(BEGIN + 2_000) });
    expect(death?.noticed).toContain('It died 2 times in a row without a step.');
    expect(halt).toMatchObject({ kind: 'halt', outcome: 'ended' });
    expect(report.headline).toMatchObject({ deaths: 2, deathsHealed: 0, halted: 1, needs: 1 });
    expect(report.needs[0]).toMatchObject({
      kind: 'halted',
      commands: [`npx baton raise ${run} restartsWithoutProgress=10`, `npx baton status ${run}`],
    });
  });

  it('shows a death that nobody has made good yet as open, with the time until now', () => {
    const [death] = incidentsOf([...FIRST, ended('crashed')], 65_000);
    expect(death).toMatchObject({ outcome: 'open', withoutProgressMs: 60_000, done: '' });
    expect(death?.overAt).toBeUndefined();
  });

  it('takes no late word about a segment that is not the run’s for a death', () => {
    expect(incidentsOf([...FIRST, ended('handoff'), scheduled(2, 'handoff'), started(2), presumedDead(1)])).toEqual([]);
  });

  it('tells a deployment, until the next step', () => {
    const [drain] = incidentsOf([
      ...FIRST,
      ended('drain'),
      scheduled(2, 'drain'),
      started(2),
      turn([text('On.')], { turn: 2, segment: 2 }),
    ]);
    expect(drain).toMatchObject({ kind: 'drain', outcome: 'healed', withoutProgressMs: 4_000 });
  });

  it('tells a supervisor that was gone from a deployment', () => {
    const SEGMENT_2 = [scheduled(2, 'drain'), started(2), turn([text('On.')], { turn: 2, segment: 2 })];
    const why = 'The supervisor of its process was gone.';
    const [orphan] = incidentsOf([...FIRST, ended('drain', 1, why), ...SEGMENT_2]);
    expect(orphan).toMatchObject({ kind: 'orphan', outcome: 'healed', withoutProgressMs: 4_000 });
    expect(orphan?.noticed).toContain(`handed off unasked: ${why}`);
    const [deployment] = incidentsOf([...FIRST, ended('drain'), ...SEGMENT_2]);
    expect(deployment).toMatchObject({ kind: 'drain' });
    expect(deployment?.noticed).not.toContain('supervisor');
  });

  it('tells attempts at a turn that failed as one incident, and when the model answered', () => {
    const [model] = incidentsOf([
      requested(),
      scheduled(),
      started(),
      turnFailed(1, 500),
      turnFailed(2, 1_000),
      turn([text('Here.')]),
    ]);
    expect(model).toMatchObject({ kind: 'model', cause: 'model/overloaded', times: 2, outcome: 'healed' });
    expect(model?.done).toBe('It answered after 2 failed attempts, 2.0 s after the first.');
  });

  it('tells a doubt and who settled it', () => {
    const story = [requested(), scheduled(), started(), turn([bash()]), callStarted(), callInDoubt()];
    expect(incidentsOf(story)).toMatchObject([{ kind: 'doubt', outcome: 'open' }]);
    const [settled] = incidentsOf([...story, callSettled('1-0', 'Unknown.', 'person')]);
    expect(settled).toMatchObject({ kind: 'doubt', outcome: 'healed', done: 'A person settled it.' });
    const [again] = incidentsOf([...story, callStarted('1-0', 'bash', 1, 2), callCompleted()]);
    expect(again).toMatchObject({ outcome: 'healed', done: expect.stringContaining('under the same key') });
  });

  it('needs a person for a doubt that waits for one, and says the question once', () => {
    const report = reported([
      [
        requested(),
        scheduled(),
        started(),
        turn([bash('pay')]),
        callStarted(),
        callInDoubt(),
        approvalRequested('1-0', { about: 'doubt' }),
        ended('waiting'),
      ],
    ]);
    expect(report.runs[0]?.incidents.map(({ kind }) => kind)).toEqual(['doubt']);
    expect(report.needs).toMatchObject([{ kind: 'doubt', run, sentence: expect.stringContaining('"pay"') }]);
    expect(report.needs[0]?.commands[0]).toBe(`npx baton deny ${run} 1-0 --reason TEXT --decision done`);
  });

  it('tells a question, who answered and after how long, and that is no time without progress', () => {
    const asked = [requested(), scheduled(), started(), turn([bash()]), approvalRequested(), ended('waiting')];
    const waiting = reported([asked]);
    expect(waiting.runs[0]?.incidents).toMatchObject([{ kind: 'question', outcome: 'open' }]);
    expect(waiting.needs).toMatchObject([{ kind: 'approval', until: momentOf(BEGIN + 3_600_000) }]);
    expect(waiting.needs[0]?.commands).toEqual([
      `npx baton approve ${run} 1-0 --digest 00000000`,
      `npx baton deny ${run} 1-0 --reason TEXT`,
    ]);
    const granted = reported([[...asked, approvalGranted()]]);
    expect(granted.runs[0]?.incidents).toMatchObject([{ outcome: 'healed', done: 'ann agreed after 2.0 s.' }]);
    expect(granted.needs).toEqual([]);
    expect(granted.headline.longestWithoutProgress).toBeUndefined();
    const denied = reported([[...asked, approvalDenied()]]);
    expect(denied.runs[0]?.incidents[0]?.done).toBe('ann did not agree, after 2.0 s.');
  });

  it('needs an answer for ask_human', () => {
    const question = call('ask_human', { question: 'Which one?' });
    const report = reported([
      [requested(), scheduled(), started(), turn([question]), callStarted('1-0', 'ask_human'), ended('waiting')],
    ]);
    expect(report.needs).toMatchObject([{ kind: 'answer', commands: [`npx baton answer ${run} 1-0 TEXT`] }]);
    expect(report.needs[0]?.sentence).toContain('Which one?');
  });

  it('shows a halt as healed once it is reopened', () => {
    const story = [...FIRST, ended('handoff'), halted('steps', 'It has reached its limit of 1 steps (caps.steps).')];
    expect(reported([story]).needs).toHaveLength(1);
    const report = reported([[...story, capsRaised({ steps: 2_000 }), reopened()]], 20_000);
    expect(report.runs[0]?.incidents).toMatchObject([
      { kind: 'halt', outcome: 'healed', done: 'It was reopened by ann after 2.0 s.' },
    ]);
    expect(report.needs).toEqual([]);
  });

  it('says which items failed and why, and that a run failed', () => {
    const report = reported([
      [...FIRST, itemFailed('a', 'No such file.'), ended('failed', 1, 'Bad key.'), runFailed('Bad key.')],
    ]);
    expect(report.needs.map(({ kind, sentence }) => [kind, sentence])).toEqual([
      ['items', '1 of 2 items failed: a (No such file.)'],
      ['failed', 'Bad key.'],
    ]);
    const [alike] = reported([
      [...FIRST, itemFailed('a', 'Full disk.'), itemFailed('b', 'Full disk.'), ended('finished'), completed(2, 0, 2)],
    ]).needs;
    expect(alike?.sentence).toBe('2 of 2 items failed: a, b (Full disk.)');
    expect(alike?.gist).toBe('Items failed, above all because: Full disk.');
    const failures = [itemFailed('a', 'Odd.'), itemFailed('b', 'Full disk.'), itemFailed('c', 'Full disk.')];
    const [, ...begun] = FIRST;
    const three = requested({ items: ['a', 'b', 'c'] });
    const [mixed] = reported([[three, ...begun, ...failures, ended('finished'), completed(3, 0, 3)]]).needs;
    expect(mixed?.gist).toBe(alike?.gist);
  });

  it('tells of a run that was cancelled while an effect was in doubt', () => {
    const report = reported([
      [
        requested(),
        scheduled(),
        started(),
        turn([bash()]),
        callStarted(),
        callInDoubt(),
        cancelRequested(),
        ended('cancelled'),
        cancelled(),
      ],
    ]);
    expect(report.needs).toMatchObject([{ kind: 'effects', commands: [`npx baton effects ${run}`] }]);
  });

  it('finds a run that nobody tends', () => {
    const story = [requested(), scheduled()];
    expect(reported([story], 30_000).needs).toEqual([]);
    expect(reported([story], 90_000).needs).toMatchObject([
      { kind: 'untended', sentence: 'Segment 1 has waited for a runner for 89.0 s.' },
    ]);
    expect(reported([[requested()]], 90_000).needs).toMatchObject([{ kind: 'untended' }]);
  });

  it('tells a wait for a runner that was long', () => {
    expect(incidentsOf([requested(), scheduled(), later(started(), 40_000)])).toMatchObject([
      { kind: 'backlog', outcome: 'healed', withoutProgressMs: 41_000 },
    ]);
  });

  it('tells that a segment at work stood still, and for how long, when neither model nor tool was at work', () => {
    const [stood, ...more] = incidentsOf([...FIRST, later(turn([text('On.')], { turn: 2 }), 9_010)]);
    expect(more).toEqual([]);
    expect(stood).toMatchObject({ kind: 'standstill', outcome: 'healed', segment: 1, withoutProgressMs: 10_000 });
    expect(stood?.noticed).toContain('recorded nothing for 10.0 s while neither the model nor a tool was at work');
    expect(incidentsOf([...FIRST, later(ended('handoff'), 9_000)])).toMatchObject([{ kind: 'standstill' }]);
  });

  it('takes neither a long turn nor a long call for a standstill, nor the time until the next segment after a death', () => {
    const lasting = (fact: Fact, ms: number): Fact => {
      const late = later(fact, ms);
      return (at, revision) => {
        const event = late(at, revision);
        return { ...event, data: { ...event.data, durationMs: ms } } as RunEvent;
      };
    };
    const second = turn([text('On.')], { turn: 2, segment: 2 });
    expect(incidentsOf([...FIRST, lasting(turn([text('On.')], { turn: 2 }), 600_000)])).toEqual([]);
    expect(incidentsOf([...FIRST.slice(0, -1), lasting(callCompleted(), 600_000)])).toEqual([]);
    expect(incidentsOf([...FIRST.slice(0, -1), later(ended('handoff'), 600_000)])).toEqual([]);
    expect(incidentsOf([...FIRST.slice(0, 3), later(turn([text('On.')]), 20_000)])).toEqual([]);
    const died = [
      ...FIRST,
      later(presumedDead(), 9_000),
      scheduled(2, 'presumed-dead'),
      started(2),
      later(second, 9_000),
    ];
    expect(incidentsOf(died)).toMatchObject([{ kind: 'death' }]);
  });

  it('makes one story of runs that stood still together', () => {
    const still = [...FIRST, later(turn([text('On.')], { turn: 2 }), 9_010)];
    const { stories, headline } = reported([still, still]);
    expect(stories).toMatchObject([{ kind: 'standstill', incidents: 2, healed: 2, withoutProgressMs: 10_000 }]);
    expect(stories[0]?.sentence).toMatch(
      /^2 times a segment of 2 runs recorded nothing .* The longest lasted 10\.0 s\./,
    );
    expect(headline.longestWithoutProgress).toMatchObject({ ms: 10_000 });
  });

  it('tells a call that was stopped at its limit', () => {
    const story = [
      requested(),
      scheduled(),
      started(),
      turn([bash()]),
      callStarted(),
      callCompleted('1-0', '', 'timed-out'),
    ];
    expect(incidentsOf(story)).toMatchObject([{ kind: 'timeout', outcome: 'healed' }]);
  });

  it('leaves out what was over before the time that is told, and counts only what came in it', () => {
    const story = [
      ...FIRST,
      ended('crashed'),
      scheduled(2, 'crash'),
      priced(2),
      turn([text('On.')], { turn: 2, segment: 2, usage: USAGE }),
      ended('finished', 2),
      completed(2),
    ];
    const report = reported([story], 600_000, BEGIN + 9_500);
    expect(report.runs[0]?.incidents).toEqual([]);
    expect(report.headline).toMatchObject({ deaths: 0, segments: 0, steps: 0, dollars: 0, completed: 1 });
  });
});

describe('stories', () => {
  const died = (ms = 0): readonly Fact[] => [
    ...FIRST,
    later(presumedDead(), ms),
    later(scheduled(2, 'presumed-dead'), ms),
    later(started(2), ms),
    later(turn([text('On.')], { turn: 2, segment: 2 }), ms),
  ];

  it('tells a runner that was lost under several runs once', () => {
    const { stories } = reported([died(), died(1_000)]);
    expect(stories).toMatchObject([{ kind: 'death', incidents: 2, runCount: 2, healed: 2, withoutProgressMs: 5_000 }]);
    expect(stories[0]?.sentence).toMatch(/^2 segments of 2 runs died on localhost within \d+(\.\d)? m?s\. The first: /);
    expect(stories[0]?.sentence).toContain('All of them went on.');
  });

  it('keeps apart what came long after', () => {
    expect(reported([died(), died(120_000)]).stories).toHaveLength(2);
  });

  it('says how many did not go on', () => {
    const { stories } = reported([died(), [...FIRST, presumedDead()]]);
    expect(stories).toMatchObject([{ healed: 1, open: 1 }]);
    expect(stories[0]?.sentence).toContain('1 of 2 went on, 1 not yet.');
  });
});

describe('the size of a ledger', () => {
  it('does not grow with the deaths of a run', () => {
    let ledger = ledgerOf(FIRST);
    let revision = FIRST.length;
    const enter = (fact: Fact): void => {
      ledger = entered(ledger, record(fact(momentOf(BEGIN + revision * 1_000), revision), revision));
      revision += 1;
    };
    for (let segment = 1; segment <= 300; segment += 1) {
      enter(ended('crashed', segment));
      enter(scheduled(segment + 1, 'crash'));
      enter(started(segment + 1));
      enter(turn([text('On.')], { turn: segment + 1, segment: segment + 1 }));
    }
    const around = { since: momentOf(BEGIN), until: momentOf(BEGIN + revision * 1_000), findings: [], unreadable: [] };
    const [account] = reportOf(new Map([[run, ledger]]), { ...around, leftRuns: 0 }).runs;
    expect(account).toMatchObject({ moreIncidents: 200, earlierSegments: 201 });
    expect(account?.incidents).toHaveLength(100);
    expect(account?.segments).toHaveLength(100);
    expect(ledger.deaths).toBe(300);
  });
});
