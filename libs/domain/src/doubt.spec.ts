import { momentOf } from '#contracts';
import { facts, given } from '#testing';
import { doubtEvents, effectsOf, effectTotals, type Found, type History, openingEvents } from './index.js';

const { requested, scheduled, started, ended, turn, bash, call, callStarted, callCompleted, callSettled } = facts;
const { approvalRequested, approvalGranted, approvalDenied, approvalExpired, discovered, callInDoubt, DIGEST } = facts;

const http = [
  { name: 'look_up', description: 'Looks up.', method: 'GET' as const, url: 'https://a.example/' },
  { name: 'put_up', description: 'Puts up.', method: 'PUT' as const, url: 'https://a.example/' },
  { name: 'pay', description: 'Pays.', method: 'POST' as const, url: 'https://a.example/' },
];
const begun = (tool: string, spec: object = {}, caps: object = {}) => [
  requested({ spec: { http, mcp: { mail: { url: 'https://mail.example/' } }, ...spec } as never, caps }),
  scheduled(),
  started(),
  discovered('mail', 'once'),
  turn([tool === 'bash' ? bash() : call(tool)]),
  callStarted('1-0', tool),
];

const inDoubt = (history: readonly facts.Fact[], probed: Found = { found: 'unknown' }) => {
  const { run, now } = given(...history);
  const [open] = run.openCalls;
  if (!open) throw new Error('No call is open.');
  const doubt = { reason: 'The machine is gone.', probed, inputDigest: DIGEST };
  return doubtEvents(run, open, doubt, { segment: 1, at: momentOf(now(0)) }).map(({ type, data }) => [
    type,
    'attempt' in data ? data.attempt : 'by' in data ? data.by : 'about' in data ? data.about : undefined,
  ]);
};
const DOUBT = ['ToolCallInDoubt', undefined];
const opening = ({ run }: History, now: number) =>
  openingEvents(run, { segment: run.segments, at: momentOf(now) }, () => DIGEST);

describe('a call of which nobody knows whether it took effect', () => {
  it.each(['look_up', 'put_up'])('is run again under the same key when that does no harm: %s', (tool) => {
    expect(inDoubt(begun(tool))).toEqual([DOUBT, ['ToolCallStarted', 2]]);
  });

  it('is run again no more often than caps.toolRetries says', () => {
    const again = [...begun('put_up', {}, { toolRetries: 2 }), callInDoubt(), callStarted('1-0', 'put_up', 1, 2)];
    expect(inDoubt(again)).toEqual([DOUBT, ['ToolCallStarted', 3]]);
    const often = [...again, callInDoubt(), callStarted('1-0', 'put_up', 1, 3)];
    expect(inDoubt(often)).toEqual([DOUBT, ['ToolCallSettled', 'model']]);
  });

  it('is told to the model when the model can look for itself', () => {
    expect(inDoubt(begun('bash'))).toEqual([DOUBT, ['ToolCallSettled', 'model']]);
  });

  it.each(['pay', 'mail__send'])('is asked of a person when it acts once on the world outside: %s', (tool) => {
    expect(inDoubt(begun(tool))).toEqual([DOUBT, ['ApprovalRequested', 'doubt']]);
  });

  it('is judged as the agent file says', () => {
    expect(inDoubt(begun('pay', { effects: { 'p*': { inDoubt: 'model' } } }))).toEqual([
      DOUBT,
      ['ToolCallSettled', 'model'],
    ]);
    expect(inDoubt(begun('bash', { effects: { bash: { inDoubt: 'person' } } }))).toEqual([
      DOUBT,
      ['ApprovalRequested', 'doubt'],
    ]);
    expect(inDoubt(begun('pay', { effects: { pay: { effect: 'idempotent' } } }))).toEqual([
      DOUBT,
      ['ToolCallStarted', 2],
    ]);
  });

  it('is settled by the world where the world can be asked', () => {
    expect(inDoubt(begun('pay'), { found: 'done', content: [] })).toEqual([DOUBT, ['ToolCallSettled', 'probe']]);
    expect(inDoubt(begun('pay'), { found: 'not-done' })).toEqual([DOUBT, ['ToolCallStarted', 2]]);
  });

  it('is never run again without anybody having said so', () => {
    const waiting = [...begun('pay'), callInDoubt(), approvalRequested('1-0', { about: 'doubt' }), ended('waiting')];
    for (const answer of [approvalDenied('1-0', 'done'), approvalDenied('1-0', 'not-done'), approvalExpired()]) {
      const { history, now } = given(...waiting, answer, scheduled(2, 'answered'), started(2));
      expect(opening(history, now(0)).map(({ type }) => type)).toEqual(['ToolCallSettled']);
    }
    const granted = given(...waiting, approvalGranted(), scheduled(2, 'answered'), started(2));
    expect(opening(granted.history, granted.now(0))).toMatchObject([
      { type: 'ToolCallStarted', data: { attempt: 2, callId: '1-0' } },
    ]);
  });

  it('tells the model what a person has found out', () => {
    const waiting = [...begun('pay'), callInDoubt(), approvalRequested('1-0', { about: 'doubt' }), ended('waiting')];
    const known = given(...waiting, approvalDenied('1-0', 'done'), scheduled(2, 'answered'), started(2));
    expect(opening(known.history, known.now(0))).toMatchObject([
      {
        data: {
          by: 'person',
          content: [{ text: 'Its outcome was unknown; ann has found that it took effect. Too risky.' }],
        },
      },
    ]);
  });
});

describe('the effect ledger', () => {
  it('tells of each call how it ended, by whom, and how that is known', () => {
    const { events } = given(
      requested({ spec: { approvals: { write_file: 'always' } } }),
      scheduled(),
      started(),
      turn([bash('a'), bash('b', 'toolu_b'), call('write_file', { path: 'x', content: '' }, 'toolu_c')]),
      callStarted('1-0'),
      callStarted('1-1'),
      approvalRequested('1-2'),
      callCompleted('1-0'),
      callInDoubt('1-1'),
      callSettled('1-1'),
      ended('waiting'),
      approvalDenied('1-2'),
      scheduled(2, 'answered'),
      started(2),
      callCompleted('1-2', 'no', 'denied'),
    );
    const effects = effectsOf(events);
    expect(effects).toMatchObject([
      { callId: '1-0', state: 'done', outcome: 'ok', attempts: 1, effect: 'once', startedBy: 1, endedBy: 1 },
      { callId: '1-1', state: 'in-doubt', doubt: { settledBy: 'model' } },
      { callId: '1-2', state: 'not-started', attempts: 0, approval: { state: 'denied', by: 'ann' } },
    ]);
    expect(effectTotals(effects)).toEqual({ executed: 2, repeated: 0, inDoubt: 1, notStarted: 1 });
  });

  it('has no line for what only the log carries out', () => {
    const { events } = given(requested({ items: ['a'] }), scheduled(), started(), turn([facts.completeItem('a')]));
    expect(effectsOf(events)).toEqual([]);
  });

  it('counts what was run again after a doubt', () => {
    const { events } = given(...begun('put_up'), callInDoubt(), callStarted('1-0', 'put_up', 1, 2), callCompleted());
    expect(effectsOf(events)).toMatchObject([
      { attempts: 2, state: 'done', doubt: { reason: 'The machine is gone.' } },
    ]);
    expect(effectTotals(effectsOf(events)).repeated).toBe(1);
  });
});
