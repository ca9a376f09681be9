import {
  type CallId,
  type Caps,
  type Digest,
  type MediaBlock,
  type Moment,
  millisOf,
  type RunEvent,
  type RunEventOf,
  type SomeCaps,
} from '#contracts';
import { reserveFault } from './caps.js';
import { isOfQuestion, questionAfter } from './evolve-calls.js';
import { tooMuchToShow } from './media.js';
import { isEnded, type Question, type Run } from './run.js';
import { summaryOf } from './status.js';

/*
 * What people may wish of a run: each function says what is recorded, or why nothing is. Asked again with the same wish
 * after it was recorded, each says that nothing more is to be recorded, and why.
 */

type GatewayEvent = RunEventOf['gateway'];

/** Why a wish is not taken; `code` is stable. */
export interface Refusal {
  readonly code:
    | 'run-ended'
    | 'run-cancelling'
    | 'not-asked'
    | 'already-answered'
    | 'another-input'
    | 'expired'
    | 'decision-missing'
    | 'too-many-messages'
    | 'attachments-too-large'
    | 'cap-not-raised'
    | 'cap-too-high';
  readonly detail: string;
}

export type Wished =
  | {
      readonly events: readonly GatewayEvent[];
      /** The revision at which the very same wish was recorded before. */
      readonly known?: number;
      /** Why there is nothing to record. */
      readonly detail?: string;
      readonly refusal?: never;
    }
  | { readonly refusal: Refusal; readonly events?: never };

/** Who wishes, and when. */
export interface Wisher {
  readonly by: string;
  readonly at: Moment;
}

const refuse = (code: Refusal['code'], detail: string): Wished => ({ refusal: { code, detail } });
const nothing = (detail: string, known?: number): Wished => ({
  events: [],
  detail,
  ...(known === undefined ? {} : { known }),
});
const ended = (run: Run): Wished | undefined =>
  isEnded(run) ? refuse('run-ended', `The run has ended already. ${summaryOf(run)}`) : undefined;
/** Nothing comes of a wish any more. */
const isOver = (run: Run): Wished | undefined =>
  ended(run) ??
  (run.cancel ? refuse('run-cancelling', `The run is being cancelled, as ${run.cancel.by} wished.`) : undefined);

export function wishCancel(run: Run, { by, at }: Wisher, reason: string | undefined): Wished {
  if (run.cancel && !isEnded(run)) return nothing(`${run.cancel.by} has cancelled it already.`, run.cancel.revision);
  const data = { at, by, ...(reason === undefined ? {} : { reason }) };
  return ended(run) ?? { events: [{ type: 'CancelRequested', data }] };
}

export const wishPause = (run: Run, { by, at }: Wisher): Wished =>
  isOver(run) ??
  (run.pause ? nothing('It is paused already.') : { events: [{ type: 'PauseRequested', data: { at, by } }] });

export const wishResume = (run: Run, { by, at }: Wisher): Wished =>
  isOver(run) ??
  (run.pause ? { events: [{ type: 'ResumeRequested', data: { at, by } }] } : nothing('It is not paused.'));

export interface Message {
  /** The same message again, under the same id, is received once. */
  readonly messageId: string;
  readonly text: string;
  readonly interrupt: boolean;
  readonly attachments?: readonly MediaBlock[];
  /** The `ask_human` call that it answers. */
  readonly callId?: CallId;
}

export function wishMessage(run: Run, { by, at }: Wisher, message: Message): Wished {
  const before = run.received.find(({ messageId }) => messageId === message.messageId);
  if (before) return nothing('This message was received already.', before.revision);
  const over = isOver(run);
  if (over) return over;
  if (run.unread.length >= run.caps.messages) {
    return refuse(
      'too-many-messages',
      `${run.unread.length} messages wait to be read already (caps.messages); wait until the model has read them.`,
    );
  }
  const tooMuch = tooMuchToShow(run, message.attachments ?? []);
  if (tooMuch !== undefined) return refuse('attachments-too-large', `The attachments are too large: ${tooMuch}.`);
  if (message.callId !== undefined) {
    const question = questionOf(run, message.callId);
    if (question?.kind !== 'answer') return notAsked(message.callId, 'a question to people');
    if (question.state !== 'pending') return alreadyAnswered(message.callId, question);
  }
  const { attachments = [], ...said } = message;
  const attached = attachments.length > 0 ? { attachments: [...attachments] } : {};
  return { events: [{ type: 'MessageReceived', data: { at, ...said, ...attached, by } }] };
}

/** What people say of a call that waits for them. */
export interface Verdict {
  readonly callId: CallId;
  /** Of the input that they were shown: a verdict on any other input does not count. */
  readonly inputDigest: Digest;
}

/** What was asked about a call last, and what came of it; the call itself may have ended long ago. */
export function questionAbout(callId: CallId, events: readonly RunEvent[]): Question | undefined {
  let question: Question | undefined;
  for (const event of events) {
    if (isOfQuestion(event) && event.data.callId === callId) question = questionAfter(question, event);
  }
  return question;
}

/** `before`: what was asked about the call, should it have ended. */
export function wishApprove(
  run: Run,
  { by, at }: Wisher,
  verdict: Verdict & { readonly reason?: string },
  before?: Question,
): Wished {
  return (
    obstacle(questionOf(run, verdict.callId) ?? before, verdict, { run, state: 'granted', at }) ?? {
      events: [{ type: 'ApprovalGranted', data: { at, ...verdict, by } }],
    }
  );
}

/** `before`: what was asked about the call, should it have ended. */
export function wishDeny(
  run: Run,
  { by, at }: Wisher,
  verdict: Verdict & { readonly reason: string; readonly decision?: 'done' | 'not-done' },
  before?: Question,
): Wished {
  const question = questionOf(run, verdict.callId) ?? before;
  const known = obstacle(question, verdict, { run, state: 'denied', at });
  if (known?.refusal) return known;
  if (known && question) return sameOr(known, question, verdict);
  const isInDoubt = question?.kind === 'doubt';
  if (!isInDoubt && verdict.decision !== undefined) {
    return refuse('not-asked', `The call ${verdict.callId} was not started: leave out \`decision\`.`);
  }
  if (isInDoubt && verdict.decision === undefined) {
    const detail = 'The call is in doubt: say with `decision` whether it took effect (done or not-done).';
    return refuse('decision-missing', detail);
  }
  return { events: [{ type: 'ApprovalDenied', data: { at, ...verdict, by } }] };
}

/** A denial that was recorded before is the same wish only when it says the same of what became of the call. */
const sameOr = (
  known: Wished,
  question: Question,
  { callId, decision }: Verdict & { readonly decision?: string },
): Wished => (question.decision === decision ? known : alreadyAnswered(callId, question));

/** Why the verdict is not recorded; an empty wish where the very same verdict is there already. */
function obstacle(
  question: Question | undefined,
  { callId, inputDigest }: Verdict,
  wanted: { readonly run: Run; readonly state: Question['state']; readonly at: Moment },
): Wished | undefined {
  const over = isOver(wanted.run);
  if (over) return over;
  if (!question || question.kind === 'answer') return notAsked(callId, 'agreement');
  const isSameInput = question.inputDigest === inputDigest;
  if (question.state !== 'pending') {
    const isSame = isSameInput && question.state === wanted.state;
    return isSame ? nothing(answeredAlready(callId, question)) : alreadyAnswered(callId, question);
  }
  if (!isSameInput) {
    const detail = `The call ${callId} waits for a verdict on another input (digest ${question.inputDigest}); look at it again.`;
    return refuse('another-input', detail);
  }
  if (millisOf(wanted.at) > millisOf(question.expiresAt)) {
    return refuse(
      'expired',
      `The call ${callId} has waited until ${question.expiresAt}; the model is told that nobody agreed.`,
    );
  }
  return undefined;
}

const questionOf = (run: Run, callId: CallId): Question | undefined =>
  run.openCalls.find((call) => call.callId === callId)?.question;

const notAsked = (callId: CallId, what: string): Wished =>
  refuse('not-asked', `The call ${callId} does not wait for ${what}.`);

const alreadyAnswered = (callId: CallId, question: Question): Wished =>
  refuse('already-answered', answeredAlready(callId, question));

function answeredAlready(callId: CallId, { kind, state, by, decision, words }: Question): string {
  const again = kind === 'doubt' && state === 'granted' ? 'to be run again' : undefined;
  const what = decision ?? again;
  const why = state === 'denied' && words ? `: ${words}` : '.';
  return `The call ${callId} is ${state} already${by === undefined ? '' : ` by ${by}`}${what === undefined ? '' : ` (${what})`}${why}`;
}

/** Raises caps up to `maxima`; a run that a cap has halted goes on. */
export function wishCaps(run: Run, { by, at }: Wisher, caps: SomeCaps, maxima: SomeCaps): Wished {
  const halted = run.relay.phase === 'ended' && run.relay.outcome === 'halted';
  const refused = (halted ? undefined : isOver(run)) ?? capsRefused(run, caps, maxima);
  if (refused) return refused;
  if ((Object.keys(caps) as (keyof Caps)[]).every((name) => caps[name] === run.caps[name])) {
    const detail = 'These caps are as high already.';
    return halted ? refuse('cap-not-raised', `${detail} ${summaryOf(run)}`) : nothing(detail);
  }
  const raised: GatewayEvent = { type: 'CapsRaised', data: { at, caps, by } };
  if (!halted) return { events: [raised] };
  const segment = Math.max(run.segments, 1);
  return { events: [raised, { type: 'RunReopened', data: { at, by, segment } }] };
}

/** Why a run cannot have these caps. */
function capsRefused(run: Run, caps: SomeCaps, maxima: SomeCaps): Wished | undefined {
  const lowered = (Object.keys(caps) as (keyof Caps)[]).filter((name) => (caps[name] ?? Infinity) < run.caps[name]);
  if (lowered.length > 0) {
    const [name = 'steps'] = lowered;
    return refuse(
      'cap-not-raised',
      `caps.${name} is ${run.caps[name]} already; caps of a run under way can only be raised.`,
    );
  }
  const above = (Object.keys(caps) as (keyof Caps)[]).find((name) => (caps[name] ?? 0) > (maxima[name] ?? Infinity));
  if (above !== undefined) {
    return refuse('cap-too-high', `caps.${above} may be at most ${maxima[above]} on this server.`);
  }
  const { segmentSeconds = run.caps.segmentSeconds, reserveSeconds = run.caps.reserveSeconds } = caps;
  const fault = reserveFault({ segmentSeconds, reserveSeconds });
  return fault === undefined
    ? undefined
    : refuse('cap-too-high', `With these caps ${fault}; raise caps.segmentSeconds too.`);
}
