import { momentOf } from '#contracts';
import { facts, given } from '#testing';
import { beginSegment, type Circumstances, type History, nextAct } from './index.js';

const { requested, scheduled, started, ended, presumedDead, cancelRequested, pauseRequested, itemStarted } = facts;
const { message, turn, bash, text, callStarted, callCompleted, turnFailed, completeItem, itemCompleted } = facts;

const beginning =
  (segment: number) =>
  ({ run }: History, now: number) =>
    beginSegment(run, { segment, runner: facts.runner, at: momentOf(now), deadline: momentOf(now + 300_000) }) ?? [];

describe('beginning a segment', () => {
  it('starts the scheduled segment and announces the first open item', () => {
    given(requested({ items: ['a', 'b'] }), scheduled())
      .when(beginning(1))
      .records(started(1), itemStarted('a'));
  });

  it('does not announce an item again that an earlier segment had begun', () => {
    given(
      requested({ items: ['a'] }),
      scheduled(),
      started(),
      itemStarted('a'),
      ended('handoff'),
      scheduled(2, 'handoff'),
    )
      .when(beginning(2))
      .records(started(2));
  });

  it.each([
    ['already begun', [requested(), scheduled(), started()]],
    ['not scheduled yet', [requested()]],
    ['over', [requested(), scheduled(), started(), ended('handoff')]],
    ['presumed dead before it began', [requested(), scheduled(), presumedDead()]],
    ['one of an older number', [requested(), scheduled(), presumedDead(), scheduled(2, 'presumed-dead', 1)]],
    ['no longer wanted', [requested(), scheduled(), cancelRequested()]],
  ])('begins nothing that is %s', (_, history) => {
    given(...history)
      .when(beginning(1))
      .records();
  });
});

describe('the next act of a segment', () => {
  const calm: Omit<Circumstances, 'now'> = {
    remainingMs: 300_000,
    longestStepMs: 0,
    draining: false,
    asked: new Set(),
  };
  const work = [requested(), scheduled(), started()];
  const act = (history: readonly facts.Fact[], world: Partial<Circumstances> = {}) => {
    const { run, context, now } = given(...history);
    return nextAct(run, context, 1, { now: now(0), ...calm, ...world });
  };

  it('is a turn when nothing else is due', () => {
    expect(act(work)).toEqual({ kind: 'turn', announce: [] });
  });

  it('is the end when a cancel or a pause was requested, whatever else is due', () => {
    const busy = [...work, turn([bash()]), callStarted()];
    expect(act([...busy, cancelRequested()])).toEqual({ kind: 'end', reason: 'cancelled' });
    expect(act([...busy, pauseRequested()])).toEqual({ kind: 'end', reason: 'paused' });
    expect(act([...busy, pauseRequested(), cancelRequested()])).toMatchObject({ reason: 'cancelled' });
  });

  it('hands off when it drains and when only the reserve is left', () => {
    expect(act(work, { draining: true })).toEqual({ kind: 'end', reason: 'drain' });
    expect(act(work, { remainingMs: 9_999 })).toEqual({ kind: 'end', reason: 'handoff' });
    expect(act(work, { remainingMs: 10_000 })).toMatchObject({ kind: 'turn' });
  });

  it('hands off when a step like the longest would not fit', () => {
    expect(act(work, { remainingMs: 30_000, longestStepMs: 20_001 })).toEqual({ kind: 'end', reason: 'handoff' });
    expect(act(work, { remainingMs: 30_000, longestStepMs: 20_000 })).toMatchObject({ kind: 'turn' });
  });

  it('starts a step at the beginning of a segment even if the last one took longer than a whole segment', () => {
    expect(act(work, { remainingMs: 899_000, longestStepMs: 2_000_000 })).toMatchObject({ kind: 'turn' });
  });

  it('carries out calls before it asks the model again', () => {
    const { run } = given(...work, turn([bash('a', 'x'), bash('b', 'y')]), callCompleted('1-0'));
    expect(act([...work, turn([bash('a', 'x'), bash('b', 'y')]), callCompleted('1-0')])).toEqual({
      kind: 'calls',
      calls: run.openCalls,
    });
  });

  it('is finished when the model has ended its turn and nothing is open', () => {
    expect(act([...work, turn([text('Done.')])])).toEqual({ kind: 'end', reason: 'finished' });
  });

  it('goes on when a message came while the model gave its last answer', () => {
    expect(act([...work, message(), turn([text('Done.')], { basedOn: 2 })])).toMatchObject({ kind: 'turn' });
  });

  it('goes on after an answer that was cut off, and after one that left items open', () => {
    expect(act([...work, turn([text('And so')], { stopReason: 'max_tokens' })])).toMatchObject({ kind: 'turn' });
    const items = [requested({ items: ['a'] }), scheduled(), started(), itemStarted('a')];
    expect(act([...items, turn([text('Hm.')])])).toMatchObject({ kind: 'turn' });
  });

  it('fails with the words of a refusal', () => {
    expect(act([...work, turn([text('No.')], { stopReason: 'refusal' })])).toEqual({
      kind: 'end',
      reason: 'failed',
      detail: 'The model refused to go on. No.',
    });
  });

  it('lands when the model idles too often in a row', () => {
    const idle = [1, 2, 3].map((n) => turn([text('Hm.')], { turn: n }));
    const items = [requested({ items: ['a'] }), scheduled(), started(), itemStarted('a')];
    expect(act([...items, ...idle.slice(0, 2)])).toMatchObject({ kind: 'turn' });
    expect(act([...items, ...idle])).toMatchObject({ kind: 'end', reason: 'failed' });
  });

  it('does not take a conversation of short answers for idling', () => {
    const talk = [1, 2, 3, 4].flatMap((n) => [message(`${n}`), turn([text('Yes.')], { turn: n })]);
    expect(act([...work, ...talk, message('One more.')])).toMatchObject({ kind: 'turn' });
  });

  it('is patient with the model, as long as it asked for', () => {
    const trouble = [...work, turnFailed(1, 5_000)];
    const { now } = given(...trouble);
    expect(act(trouble, { now: now(4_999) })).toEqual({ kind: 'back-off', until: now(5_000) });
    expect(act(trouble, { now: now(5_000) })).toMatchObject({ kind: 'turn' });
  });

  it('does not wait for a clock that was set back to catch up with the model', () => {
    const trouble = [...work, turnFailed(1, 5_000)];
    expect(act(trouble, { now: given(...trouble).now(-3_600_000) })).toMatchObject({ kind: 'turn' });
  });

  it('fails when the model will not be asked again', () => {
    expect(act([...work, turnFailed(9)])).toEqual({
      kind: 'end',
      reason: 'failed',
      detail: 'The model cannot be used (overloaded): It is busy.',
    });
  });

  it('compacts a conversation that is near its limit, once', () => {
    const full = [...work, turn([bash()], { usage: { inputTokens: 170_000 } }), callCompleted()];
    expect(act(full)).toEqual({ kind: 'compact', announce: [] });
    expect(act([...full, facts.compacted('Much was done.')])).toMatchObject({ kind: 'turn' });
  });

  it('announces a cap before a compaction too, which is a paid call like a turn', () => {
    const full = [turn([bash()], { usage: { inputTokens: 170_000 } }), callCompleted()];
    const near = [requested({ caps: { tokens: 200_000 } }), scheduled(), started(), ...full];
    expect(act(near)).toMatchObject({ kind: 'compact', announce: [{ type: 'CapNeared', data: { cap: 'tokens' } }] });
    expect(act([...near, facts.capNeared('tokens', 170_000, 200_000)])).toEqual({ kind: 'compact', announce: [] });
  });

  it('announces a cap once when four fifths of it are used, and again when it was raised', () => {
    const four = [1, 2, 3, 4].flatMap((n) => [turn([bash()], { turn: n }), callCompleted(`${n}-0`)]);
    const near = [requested({ caps: { steps: 5 } }), scheduled(), started(), ...four];
    const told = [...near, facts.capNeared('steps', 4, 5)];
    expect(act(near)).toMatchObject({
      kind: 'turn',
      announce: [{ type: 'CapNeared', data: { cap: 'steps', used: 4, limit: 5 } }],
    });
    expect(act(told)).toEqual({ kind: 'turn', announce: [] });
    expect(act([...told, facts.capsRaised({ steps: 10 })])).toEqual({ kind: 'turn', announce: [] });
    const eight = [5, 6, 7, 8].flatMap((n) => [turn([bash()], { turn: n }), callCompleted(`${n}-0`)]);
    expect(act([...told, facts.capsRaised({ steps: 10 }), ...eight])).toMatchObject({
      announce: [{ data: { cap: 'steps', used: 8, limit: 10 } }],
    });
  });

  it.each([
    ['steps', { steps: 1 }],
    ['tokens', { tokens: 60_000 }],
    ['dollars', { dollars: 1 }],
  ] as const)(
    'announces caps.%s before a turn that may use up what is left of it, however little was used',
    (cap, caps) => {
      const usage = { inputTokens: 20_000, outputTokens: 5_000 };
      const half = cap === 'steps' ? [] : [turn([bash()], { usage }), callCompleted()];
      const price = { input: 10, output: 20, cacheRead: 1, cacheWrite: 12.5 };
      const priced: facts.Fact = (at, revision) => {
        const event = started()(at, revision);
        return event.type === 'SegmentStarted' ? { ...event, data: { ...event.data, price } } : event;
      };
      const near = (maxTokens: number) => [
        requested({ caps, spec: { model: { name: 'm', maxTokens } as never } }),
        scheduled(),
        priced,
        ...half,
      ];
      expect(act(near(20_000))).toMatchObject({ announce: [{ type: 'CapNeared', data: { cap } }] });
      if (cap !== 'steps') expect(act(near(5_000))).toEqual({ kind: 'turn', announce: [] });
    },
  );

  it('finishes once every item is settled and reported on', () => {
    const done = [
      requested({ items: ['a'] }),
      scheduled(),
      started(),
      itemStarted('a'),
      turn([completeItem('a')]),
      callCompleted(),
      itemCompleted('a'),
    ];
    expect(act(done)).toMatchObject({ kind: 'turn' });
    expect(act([...done, turn([text('Report.')], { turn: 2 })])).toEqual({ kind: 'end', reason: 'finished' });
  });
});
