import type { CallId } from '#contracts';
import { facts, given } from '#testing';
import {
  questionAbout,
  type Run,
  type Wished,
  wishApprove,
  wishCancel,
  wishCaps,
  wishDeny,
  wishMessage,
  wishPause,
  wishResume,
} from './index.js';

const { requested, scheduled, started, ended, turn, bash, call, callStarted, message } = facts;
const { approvalRequested, approvalGranted, approvalDenied, DIGEST } = facts;

const by = { by: 'ben', at: '2026-01-05T08:30:00.000Z' };
const callId = '1-0' as CallId;
const verdict = { callId, inputDigest: DIGEST };
const hello = { messageId: 'm1', text: 'Hello.', interrupt: false };

const open = [requested(), scheduled(), started()];
const asked = [requested({ spec: { approvals: { bash: 'always' } } }), scheduled(), started(), turn([bash()])];
const waiting = [...asked, approvalRequested(), ended('waiting')];
const over = [requested(), facts.cancelRequested(), facts.cancelled()];
const doubtful = [...open, turn([bash()]), callStarted(), facts.callInDoubt()];
const inDoubt = [...doubtful, approvalRequested('1-0', { about: 'doubt' })];

const runOf = (history: readonly facts.Fact[]): Run => given(...history).run;
const typesOf = ({ events = [] }: Wished): readonly string[] => events.map(({ type }) => type);

describe('what people wish of a run', () => {
  it('is recorded once, however often it is wished', () => {
    expect(typesOf(wishCancel(runOf(open), by, 'Enough.'))).toEqual(['CancelRequested']);
    expect(wishCancel(runOf([...open, facts.cancelRequested()]), by, undefined)).toEqual({
      events: [],
      known: 3,
      detail: 'ann has cancelled it already.',
    });
    expect(typesOf(wishPause(runOf(open), by))).toEqual(['PauseRequested']);
    expect(wishPause(runOf([...open, facts.pauseRequested()]), by)).toEqual({
      events: [],
      detail: 'It is paused already.',
    });
    expect(typesOf(wishResume(runOf([...open, facts.pauseRequested()]), by))).toEqual(['ResumeRequested']);
    expect(wishResume(runOf(open), by)).toEqual({ events: [], detail: 'It is not paused.' });
    expect(wishMessage(runOf([...open, message('x', { messageId: 'm1' })]), by, hello)).toEqual({
      events: [],
      known: 3,
      detail: 'This message was received already.',
    });
  });

  it('is refused while the run is being cancelled, since nothing would come of it', () => {
    const run = runOf([...waiting, facts.cancelRequested()]);
    const wishes = [
      wishPause(run, by),
      wishResume(run, by),
      wishMessage(run, by, hello),
      wishApprove(run, by, verdict),
      wishDeny(run, by, { ...verdict, reason: 'No.' }),
      wishCaps(run, by, { steps: 9_999 }, {}),
    ];
    for (const { refusal } of wishes) expect(refusal).toMatchObject({ code: 'run-cancelling' });
  });

  it('is refused when the run has ended, and the refusal tells how', () => {
    const run = runOf(over);
    const wishes = [
      wishCancel(run, by, undefined),
      wishPause(run, by),
      wishResume(run, by),
      wishMessage(run, by, hello),
      wishApprove(run, by, verdict),
      wishDeny(run, by, { ...verdict, reason: 'No.' }),
      wishCaps(run, by, { steps: 9_999 }, {}),
    ];
    for (const { refusal } of wishes) expect(refusal).toMatchObject({ code: 'run-ended' });
    expect(wishes[0]?.refusal?.detail).toContain('Cancelled by ann.');
  });
});

describe('a message', () => {
  it('is refused when too many wait to be read', () => {
    const full = [requested({ caps: { messages: 1 } }), scheduled(), message()];
    expect(wishMessage(runOf(full), by, hello).refusal).toMatchObject({ code: 'too-many-messages' });
  });

  it('answers only a call that asks', () => {
    expect(wishMessage(runOf(waiting), by, { ...hello, callId }).refusal).toMatchObject({ code: 'not-asked' });
    const asks = [...open, turn([call('ask_human', { question: '?' })]), callStarted('1-0', 'ask_human')];
    expect(typesOf(wishMessage(runOf(asks), by, { ...hello, callId }))).toEqual(['MessageReceived']);
    const answered = [...asks, message('Yes.', { callId })];
    expect(wishMessage(runOf(answered), by, { ...hello, callId }).refusal).toMatchObject({ code: 'already-answered' });
  });
});

describe('a verdict on a call', () => {
  it('is recorded for the exact input that was asked about', () => {
    expect(typesOf(wishApprove(runOf(waiting), by, verdict))).toEqual(['ApprovalGranted']);
    expect(typesOf(wishDeny(runOf(waiting), by, { ...verdict, reason: 'No.' }))).toEqual(['ApprovalDenied']);
    const other = { ...verdict, inputDigest: 'f'.repeat(64) };
    expect(wishApprove(runOf(waiting), by, other).refusal).toMatchObject({ code: 'another-input' });
  });

  it('is refused where nothing is asked, and after the question has expired', () => {
    expect(wishApprove(runOf(open), by, verdict).refusal).toMatchObject({ code: 'not-asked' });
    const late = { ...by, at: '2026-01-05T09:00:01.000Z' };
    expect(wishApprove(runOf(waiting), late, verdict).refusal).toMatchObject({ code: 'expired' });
  });

  it('holds: the same again changes nothing, the opposite is refused', () => {
    const granted = runOf([...waiting, approvalGranted()]);
    expect(wishApprove(granted, by, verdict)).toEqual({
      events: [],
      detail: 'The call 1-0 is granted already by ann.',
    });
    expect(wishDeny(granted, by, { ...verdict, reason: 'No.' }).refusal).toMatchObject({ code: 'already-answered' });
    const denied = runOf([...waiting, approvalDenied()]);
    expect(wishApprove(denied, by, verdict).refusal).toMatchObject({ code: 'already-answered' });
  });

  it('says of a call in doubt what became of it', () => {
    expect(wishDeny(runOf(inDoubt), by, { ...verdict, reason: 'Saw it.' }).refusal).toMatchObject({
      code: 'decision-missing',
    });
    const said = wishDeny(runOf(inDoubt), by, { ...verdict, reason: 'Saw it.', decision: 'done' });
    expect(said.events).toMatchObject([{ type: 'ApprovalDenied', data: { decision: 'done' } }]);
  });

  it('of a call that has ended since is told what was decided: the same again is known, another is refused', () => {
    const denied = [...inDoubt, approvalDenied('1-0', 'done')];
    const settled = runOf([...denied, facts.callSettled()]);
    const before = questionAbout(
      callId,
      denied.map((fact) => fact(by.at, 1)),
    );
    expect(settled.openCalls).toEqual([]);
    const deny = (decision: 'done' | 'not-done') =>
      wishDeny(settled, by, { ...verdict, reason: 'Again.', decision }, before);
    const detail = 'The call 1-0 is denied already by ann (done): Too risky.';
    expect(deny('done')).toEqual({ events: [], detail });
    expect(deny('not-done').refusal).toEqual({ code: 'already-answered', detail });
    expect(wishApprove(settled, by, verdict, before).refusal).toEqual({ code: 'already-answered', detail });
    expect(wishApprove(settled, by, verdict).refusal).toMatchObject({ code: 'not-asked' });
    expect(questionAbout('2-0' as CallId, [])).toBeUndefined();
  });

  it('says nothing of the effect of a call that was not started', () => {
    const denial = { ...verdict, reason: 'No.', decision: 'done' } as const;
    expect(wishDeny(runOf(waiting), by, denial).refusal).toMatchObject({ code: 'not-asked' });
  });
});

describe('raising caps', () => {
  const halted = [...open, ended('failed'), facts.halted('steps', 'The cap.')];

  it('lets a halted run go on', () => {
    expect(typesOf(wishCaps(runOf(halted), by, { steps: 5_000 }, {}))).toEqual(['CapsRaised', 'RunReopened']);
    expect(typesOf(wishCaps(runOf(open), by, { steps: 5_000 }, {}))).toEqual(['CapsRaised']);
  });

  it('keeps within what the server allows', () => {
    const { refusal } = wishCaps(runOf(open), by, { steps: 5_000 }, { steps: 4_000 });
    expect(refusal).toMatchObject({ code: 'cap-too-high' });
  });

  it('leaves segments the time to work', () => {
    const { refusal } = wishCaps(runOf(open), by, { reserveSeconds: 3_600 }, {});
    expect(refusal).toMatchObject({
      code: 'cap-too-high',
      detail: expect.stringContaining('raise caps.segmentSeconds'),
    });
    expect(wishCaps(runOf(open), by, { reserveSeconds: 3_600, segmentSeconds: 7_200 }, {}).refusal).toBeUndefined();
  });

  it('does not lower any', () => {
    expect(wishCaps(runOf(open), by, { steps: 1 }, {}).refusal).toMatchObject({ code: 'cap-not-raised' });
  });
});
