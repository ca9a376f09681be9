import { facts, given, record } from '#testing';
import { capsUsed, evolve, itemsOf } from './index.js';

const { requested, scheduled, started, ended, presumedDead, cancelRequested, pauseRequested, resumeRequested } = facts;
const { message, turn, bash, text, callStarted, callCompleted, callInDoubt, callSettled, turnFailed } = facts;
const { itemStarted, itemCompleted, itemFailed, compacted, capsRaised, capNeared, cancelled, completed } = facts;

const work = [requested({ items: ['a', 'b'] }), scheduled(), started()];
const after = (...more: readonly facts.Fact[]) => given(...work, ...more).run;
/** What the last fact has changed, beside `last`. */
const changeBy = (...history: readonly facts.Fact[]) => {
  const before: Record<string, unknown> = { ...given(...history.slice(0, -1)).run };
  const now = Object.entries(given(...history).run);
  const same = (name: string, value: unknown) => JSON.stringify(value) === JSON.stringify(before[name]);
  return Object.fromEntries(now.filter(([name, value]) => name !== 'last' && !same(name, value)));
};

describe('the state of a run', () => {
  it('begins with what was requested', () => {
    const { run } = given(requested({ items: ['a'], input: 'Count.' }));
    expect(run).toMatchObject({
      input: 'Count.',
      items: [{ id: 'a' }],
      progress: 'o',
      settled: { done: 0, failed: 0 },
      relay: { phase: 'between', next: 1, because: 'requested', restarts: 0 },
      last: { revision: 0, type: 'RunRequested' },
    });
  });

  it('cannot begin with anything else', () => {
    const [, event] = given(requested(), cancelRequested()).events;
    expect(() => event && evolve(undefined, event)).toThrow('begins with CancelRequested');
  });

  it('ignores a second request', () => {
    const { run, events } = given(requested(), scheduled());
    expect(events[0] && evolve(run, events[0])).toEqual(run);
  });

  it('knows the newest event', () => {
    expect(after(message()).last).toMatchObject({ revision: 3, type: 'MessageReceived' });
  });
});

describe('wishes', () => {
  it('keeps the first cancel', () => {
    expect(after(cancelRequested('ann'), cancelRequested('bob')).cancel).toMatchObject({ by: 'ann' });
  });

  it('pauses and resumes', () => {
    expect(after(pauseRequested()).pause).toBe(true);
    expect(after(pauseRequested(), resumeRequested()).pause).toBe(false);
  });

  it('keeps a message unread until a turn was built on it', () => {
    expect(after(message()).unread).toEqual([3]);
    expect(after(message(), turn([bash()], { basedOn: 2 })).unread).toEqual([3]);
    expect(after(message(), turn([bash()], { basedOn: 3 })).unread).toEqual([]);
    expect(after(message(), compacted('So far.')).unread).toEqual([3]);
  });

  it('raises the caps that are named and forgets that they were near', () => {
    const run = after(capNeared('steps', 8, 10), capNeared('tokens', 8, 10), capsRaised({ steps: 50 }));
    expect(run.caps).toMatchObject({ steps: 50, segments: 200 });
    expect(run.nearedCaps).toEqual(['tokens']);
  });

  it.each([
    ['ApprovalRequested', facts.approvalRequested()],
    ['ApprovalGranted', facts.approvalGranted()],
    ['ApprovalDenied', facts.approvalDenied()],
    ['ApprovalExpired', facts.approvalExpired()],
    ['RunReopened', facts.reopened()],
  ])('is not changed by %s', (_, fact) => {
    expect(changeBy(...work, fact)).toEqual({});
  });
});

describe('the relay', () => {
  it.each([
    ['handoff', { phase: 'between', next: 2, because: 'handoff', restarts: 0 }],
    ['drain', { phase: 'between', next: 2, because: 'drain', restarts: 0 }],
    ['crashed', { phase: 'between', next: 2, because: 'crash', restarts: 1 }],
    ['waiting', { phase: 'resting', segment: 1, why: 'waiting' }],
    ['paused', { phase: 'resting', segment: 1, why: 'paused' }],
    ['finished', { phase: 'landed', segment: 1, how: 'finished', detail: '' }],
    ['failed', { phase: 'landed', segment: 1, how: 'failed', detail: '' }],
    ['cancelled', { phase: 'landed', segment: 1, how: 'cancelled', detail: '' }],
  ] as const)('after a segment that ended with %s', (reason, relay) => {
    expect(after(ended(reason)).relay).toEqual(relay);
  });

  it('counts deaths in a row without a step, and begins anew after a step', () => {
    const twice = [...work, presumedDead(1), scheduled(2, 'presumed-dead', 1), started(2)];
    expect(given(...twice, ended('crashed', 2)).run).toMatchObject({ deaths: 2, relay: { restarts: 2 } });
    expect(given(...twice, turn([bash()]), ended('crashed', 2)).run).toMatchObject({
      deaths: 2,
      relay: { restarts: 0 },
    });
  });

  it.each([
    ['a turn', turn([bash()])],
    ['a compaction', compacted('So far.')],
    ['a settled item', itemCompleted('a')],
    ['a failed item', itemFailed('a')],
    ['a result', callCompleted()],
    ['a settled doubt', callSettled()],
  ])('takes %s for progress', (_, fact) => {
    expect(after(fact).relay).toMatchObject({ phase: 'working', progressed: true });
  });

  it.each([
    ['a started call', callStarted()],
    ['a failed turn', turnFailed(1, 100)],
    ['an announced item', itemStarted('a')],
  ])('does not take %s for progress', (_, fact) => {
    expect(after(fact).relay).toMatchObject({ phase: 'working', progressed: false });
  });

  it('knows no end and no death of another segment', () => {
    const second = [...work, ended('handoff'), scheduled(2, 'handoff'), started(2)];
    expect(changeBy(...second, ended('crashed', 1))).toEqual({});
    expect(changeBy(...second, presumedDead(1))).toEqual({});
    expect(changeBy(...work, ended('handoff'), presumedDead(1))).toEqual({});
  });

  it.each([
    ['RunCompleted', completed(0, 0, 0, 'Yes.'), { phase: 'ended', outcome: 'completed', reason: 'Yes.' }],
    ['RunFailed', facts.runFailed('No.'), { phase: 'ended', outcome: 'failed', reason: 'No.' }],
    ['RunCancelled', cancelled(), { phase: 'ended', outcome: 'cancelled', reason: 'Cancelled by ann.' }],
    ['RunHalted', facts.halted('steps', 'Much.'), { phase: 'ended', outcome: 'halted', reason: 'Much.' }],
  ])('is ended for good by %s', (_, fact, relay) => {
    expect(after(fact).relay).toEqual(relay);
    expect(after(fact, completed(), scheduled(2), started(2), presumedDead(2)).relay).toEqual(relay);
  });
});

describe('the work', () => {
  it('counts every token of turns and compactions', () => {
    const usage = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 };
    expect(after(turn([bash()], { usage })).tokens).toBe(10);
    expect(after(compacted('So far.', usage)).tokens).toBe(10);
  });

  it('opens the calls of a turn in the order of the model and under names of its own', () => {
    expect(after(turn([text('So.'), bash('a', 'same'), bash('b', 'same')], { turn: 7 })).openCalls).toEqual([
      { callId: '7-0', tool: 'bash', input: { command: 'a' }, state: 'asked' },
      { callId: '7-1', tool: 'bash', input: { command: 'b' }, state: 'asked' },
    ]);
  });

  it('follows a call from its start over doubt to its end', () => {
    const asked = [turn([bash()]), callStarted()];
    expect(after(...asked).openCalls).toMatchObject([{ state: 'started', segment: 1 }]);
    expect(after(...asked, callInDoubt()).openCalls).toMatchObject([{ state: 'in-doubt' }]);
    expect(after(...asked, callInDoubt(), callSettled())).toMatchObject({ openCalls: [], executed: 1 });
    expect(after(...asked, callCompleted())).toMatchObject({ openCalls: [], executed: 1 });
    expect(after(...asked, callCompleted('1-0', 'No.', 'rejected'))).toMatchObject({ openCalls: [], executed: 0 });
  });

  it('settles an item once', () => {
    const run = after(itemStarted('a'), itemCompleted('a'), itemCompleted('a'), itemFailed('a'), itemFailed('unknown'));
    expect(itemsOf(run)).toMatchObject([{ state: 'done' }, { state: 'open' }]);
    expect(run.settled).toEqual({ done: 1, failed: 0 });
  });

  it('counts turns in a row without a call, anew after a call or an answer to a message', () => {
    const idle = (n: number) => turn([text('Hm.')], { turn: n });
    expect(after(idle(1), idle(2)).idleTurns).toBe(2);
    expect(after(idle(1), idle(2), turn([bash()], { turn: 3 })).idleTurns).toBe(0);
    expect(after(idle(1), idle(2), message(), idle(3)).idleTurns).toBe(1);
  });

  it('remembers model trouble until a turn or a compaction has come through', () => {
    const { modelTrouble } = after(turnFailed(2, 500));
    expect(modelTrouble).toEqual({
      attempt: 2,
      kind: 'overloaded',
      message: 'It is busy.',
      failedAt: '2026-01-05T08:00:03.000Z',
      retryAt: '2026-01-05T08:00:03.500Z',
    });
    expect(after(turnFailed(9)).modelTrouble).not.toHaveProperty('retryAt');
    expect(after(turnFailed(2, 500), turn([bash()])).modelTrouble).toBeNull();
    expect(after(turnFailed(2, 500), compacted('So far.')).modelTrouble).toBeNull();
  });

  it('is plain data: a state that went through JSON goes on the same', () => {
    const { run, events } = given(...work, turn([bash()]), callStarted(), turnFailed(1, 5), message());
    const next = record({ type: 'CancelRequested', data: { at: run.last.at, by: 'ann' } }, events.length);
    expect(evolve(JSON.parse(JSON.stringify(run)), next)).toEqual(evolve(run, next));
  });
});

describe('what is used of the caps', () => {
  it('is told for each', () => {
    const { run, now } = given(...work, turn([text('Hm.')], { usage: { inputTokens: 5 } }), turnFailed(2, 1));
    const used = Object.fromEntries(capsUsed(run, now(26_000)).map((entry) => [entry.cap, entry.used]));
    expect(used).toEqual({
      dollars: 0,
      segments: 1,
      steps: 1,
      runMinutes: 0.5,
      restartsWithoutProgress: 0,
      tokens: 5,
      modelRetries: 2,
      idleTurns: 1,
    });
  });

  it('is never negative when the clock was set back', () => {
    const { run, now } = given(...work);
    expect(capsUsed(run, now(-3_600_000)).every(({ used }) => used >= 0)).toBe(true);
  });
});
