import { facts, given } from '#testing';
import { capsUsed, type History, nextAct, openingEvents, reconcile, statusOf, summaryOf, withCalls } from './index.js';

const { requested, scheduled, started, ended, turn, bash, call, callStarted, callCompleted, message } = facts;
const { approvalRequested, approvalGranted, approvalDenied, approvalExpired, DIGEST } = facts;

const HOUR = 3_600_000;
const asking = { approvals: { bash: 'always' as const } };
const caps = { approvalMinutes: 60 };
const work = [requested({ spec: asking, caps }), scheduled(), started()];
const asked = [...work, turn([bash('rm -rf build')]), approvalRequested()];
const resting = [...asked, ended('waiting')];

const opening = ({ run }: History, now: number) =>
  openingEvents(run, { segment: run.segments, at: new Date(now).toISOString() }, () => DIGEST);
const act = ({ run, context }: History, now: number) =>
  nextAct(run, context, run.segments, {
    now,
    remainingMs: 300_000,
    longestStepMs: 0,
    draining: false,
    asked: new Set(),
  });
const reconciling = ({ run }: History, now: number) => reconcile(run, now).events;
const actOf = (history: readonly facts.Fact[]) => {
  const { history: state, now } = given(...history);
  return act(state, now(0));
};

describe('a call that needs a person’s agreement', () => {
  it('is asked for in the turn’s own append, and nothing is started', () => {
    const { run, now } = given(...work);
    const completed = turn([bash('rm -rf build')])(new Date(now(0)).toISOString(), 3);
    const place = { segment: 1, at: completed.data.at };
    const events = withCalls(run, completed as never, place, () => DIGEST);
    expect(events.map(({ type }) => type)).toEqual(['ModelTurnCompleted', 'ApprovalRequested']);
    expect(events[1]?.data).toMatchObject({ callId: '1-0', inputDigest: DIGEST });
  });

  it('ends the segment while it waits, so that nothing runs and nothing is paid', () => {
    expect(actOf(asked)).toEqual({ kind: 'end', reason: 'waiting' });
  });

  it('does not keep the other calls of its turn from being carried out', () => {
    const two = [
      ...work,
      turn([bash('a'), call('list_files', {}, 'toolu_2')]),
      approvalRequested(),
      callStarted('1-1'),
    ];
    expect(actOf(two)).toMatchObject({ kind: 'calls', calls: [{ callId: '1-1' }] });
    expect(actOf([...two, callCompleted('1-1')])).toEqual({ kind: 'end', reason: 'waiting' });
  });

  it('is started once by the next segment when it is granted', () => {
    given(...resting, approvalGranted())
      .when(reconciling)
      .records(scheduled(2, 'answered'));
    given(...resting, approvalGranted(), scheduled(2, 'answered'), started(2))
      .when(opening)
      .records(callStarted('1-0', 'bash', 2));
  });

  it('is not started by a grant for another input', () => {
    given(...resting, approvalGranted('1-0', 'f'.repeat(64)))
      .when(reconciling)
      .records();
  });

  it('is asked for again when the grant came too late to be used', () => {
    const late = given(...resting, approvalGranted(), scheduled(2, 'answered'), started(2));
    const events = opening(late.history, late.now(2 * HOUR));
    expect(events.map(({ type }) => type)).toEqual(['ApprovalRequested']);
  });

  it('tells the model why it was denied', () => {
    const denied = given(...resting, approvalDenied(), scheduled(2, 'answered'), started(2));
    expect(opening(denied.history, denied.now(0))).toMatchObject([
      {
        type: 'ToolCallCompleted',
        data: { outcome: 'denied', content: [{ text: 'ann did not agree to this call: Too risky.' }] },
      },
    ]);
  });

  it('expires without a person, after days if need be, and the run goes on', () => {
    const waiting = given(...resting);
    expect(reconcile(waiting.run, waiting.now(0)).lookAgainAt).toBe(facts.BEGIN + HOUR);
    waiting.when(reconciling, 2 * HOUR).records(approvalExpired(), scheduled(2, 'answered'));
    const expired = given(...resting, approvalExpired(), scheduled(2, 'answered'), started(2));
    expect(opening(expired.history, expired.now(0))).toMatchObject([
      { type: 'ToolCallCompleted', data: { outcome: 'denied' } },
    ]);
  });

  it('is answered once: a second answer changes nothing', () => {
    const denied = given(...resting, approvalDenied(), approvalGranted(), scheduled(2, 'answered'), started(2));
    expect(opening(denied.history, denied.now(0))).toMatchObject([
      { type: 'ToolCallCompleted', data: { outcome: 'denied' } },
    ]);
  });

  it('waits as long as it takes without using up the run’s minutes', () => {
    const { run, now } = given(...resting);
    expect(summaryOf(run)).toContain('Waits for a person’s agreement to bash (call 1-0)');
    expect(statusOf(run)).toBe('waiting');
    const before = given(...asked);
    expect(reconcile(run, now(30 * 60_000)).events).toEqual([]);
    const minutes = (after: number) => capsUsed(run, now(after)).find(({ cap }) => cap === 'runMinutes')?.used;
    expect(minutes(30 * 60_000)).toBe(minutes(0));
    expect(before.run.restedMs).toBe(0);
    const resumed = given(...resting, approvalGranted(), scheduled(2, 'answered'));
    expect(resumed.run.restedMs).toBe(2_000);
  });

  it('is not asked of a person where the rule on its input does not fit', () => {
    const rule = { approvals: { 'ba*': { when: { command: '\\brm\\b' } } } };
    const plain = given(requested({ spec: rule }), scheduled(), started(), turn([bash('ls')]));
    expect(opening(plain.history, plain.now(0))).toMatchObject([{ type: 'ToolCallStarted' }]);
    const risky = given(requested({ spec: rule }), scheduled(), started(), turn([bash('rm x')]));
    expect(opening(risky.history, risky.now(0))).toMatchObject([{ type: 'ApprovalRequested' }]);
  });
});

describe('a question of the model to a person', () => {
  const tools = { tools: ['ask_human' as const, 'bash' as const] };
  const question = call('ask_human', { question: 'Which one?' });
  const open = [requested({ spec: tools, caps }), scheduled(), started(), turn([question])];
  const waiting = [...open, callStarted('1-0', 'ask_human'), ended('waiting')];

  it('is written down and waits for its answer without a segment', () => {
    given(...open)
      .when(opening)
      .records(callStarted('1-0', 'ask_human'));
    expect(actOf([...open, callStarted('1-0', 'ask_human')])).toEqual({ kind: 'end', reason: 'waiting' });
    given(...waiting)
      .when(reconciling)
      .records();
  });

  it('is answered by a message, which is no news beside it', () => {
    const answered = given(...waiting, message('The red one.'), scheduled(2, 'answered'), started(2));
    expect(answered.run.unread).toEqual([]);
    expect(opening(answered.history, answered.now(0))).toMatchObject([
      { type: 'ToolCallCompleted', data: { callId: '1-0', outcome: 'ok', content: [{ text: 'The red one.' }] } },
    ]);
  });

  it('takes the answer that names it, and leaves other messages to be read', () => {
    const two = [...open.slice(0, 3), turn([question, call('ask_human', { question: 'When?' }, 'toolu_2')])];
    const both = [...two, callStarted('1-0', 'ask_human'), callStarted('1-1', 'ask_human'), ended('waiting')];
    const { run } = given(...both, message('Hm.'), message('Now.', { callId: '1-1' as never }));
    expect(run.openCalls.map(({ question: q }) => q?.state)).toEqual(['pending', 'answered']);
    expect(run.unread).toHaveLength(1);
  });

  it('is given up when nobody answers in time', () => {
    given(...waiting)
      .when(reconciling, 2 * HOUR)
      .records(approvalExpired(), scheduled(2, 'answered'));
    const late = given(...waiting, approvalExpired(), scheduled(2, 'answered'), started(2));
    expect(opening(late.history, late.now(0))).toMatchObject([{ data: { outcome: 'error' } }]);
  });
});

describe('a message that interrupts', () => {
  const interrupt = message('Stop that.', { interrupt: true });

  it('gives up what runs and what waits, so that the model can read it', () => {
    expect(actOf([...work, turn([bash()]), callStarted(), interrupt])).toMatchObject({
      kind: 'stop-calls',
      because: 'interrupt',
      calls: [{ callId: '1-0' }],
    });
    given(...resting, interrupt)
      .when(reconciling)
      .records(scheduled(2, 'answered'));
  });

  it('is over once a turn has carried it', () => {
    const read = given(...work, interrupt, turn([bash('rm x')]), approvalRequested());
    expect(read.run.interrupt).toBeNull();
    expect(act(read.history, read.now(0))).toEqual({ kind: 'end', reason: 'waiting' });
  });

  it('still holds when it came while the model was answering something older', () => {
    const crossed = given(...work, interrupt, turn([bash('rm x')], { basedOn: 2 }), approvalRequested());
    expect(act(crossed.history, crossed.now(0))).toMatchObject({ kind: 'stop-calls', because: 'interrupt' });
  });
});

describe('a run that stays open', () => {
  const open: facts.Fact = (at, revision) => {
    const event = requested({ caps })(at, revision);
    return { ...event, data: { ...event.data, stayOpen: true } } as typeof event;
  };
  const done = [open, scheduled(), started(), turn([facts.text('Done.')])];

  it('waits for a message after the end of its work, and takes it as its next turn', () => {
    expect(actOf(done)).toEqual({ kind: 'end', reason: 'waiting' });
    given(...done, ended('waiting'))
      .when(reconciling)
      .records();
    given(...done, ended('waiting'), message())
      .when(reconciling)
      .records(scheduled(2, 'answered'));
  });

  it('completes when no message comes for as long as a question may wait', () => {
    const { run, now } = given(...done, ended('waiting'));
    const until = reconcile(run, now(0)).lookAgainAt ?? 0;
    expect(reconcile(run, until).events).toMatchObject([{ type: 'RunCompleted', data: { result: 'Done.' } }]);
  });
});

describe('a run that a cap has halted', () => {
  const halted = [requested({ caps: { steps: 1 } }), scheduled(), started(), turn([bash()]), callStarted()];
  const over = [...halted, callCompleted(), ended('failed', 1, 'steps'), facts.halted('steps', 'The cap.')];

  it('goes on with the next segment when the cap is raised', () => {
    given(...over, facts.capsRaised({ steps: 10 }), facts.reopened())
      .when(reconciling)
      .records(scheduled(2, 'reopened'));
  });

  it('is not reopened when it has completed', () => {
    const { run } = given(requested(), scheduled(), started(), ended('finished'), facts.completed(), facts.reopened());
    expect(statusOf(run)).toBe('completed');
  });
});
