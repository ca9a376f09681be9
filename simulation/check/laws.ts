import type { RunEvent } from '#contracts';
import { compactionRequest, type History, replay, turnRequest } from '#domain';
import { requestDigest } from '#platform';
import type { Account, Entry } from './account.js';
import { effectFaults } from './effects.js';
import { promptnessFaults } from './promptness.js';
import { relayFaults } from './relay.js';
import { restlessFaults } from './restless.js';

/** A broken law, in a sentence. */
type Broken = string;

/** What the run comes to when nothing disturbs it. */
export interface Expected {
  readonly contextDigest: string;
  readonly requestDigests: string;
  readonly result: string;
  /** When it ends, in milliseconds of the world. */
  readonly endsAt: number;
  /** People have interfered: it may end on another way. */
  readonly restless?: boolean;
}

export interface Verdict {
  readonly broken: readonly Broken[];
  /** Effects that the log tells of and that never happened, and items that were not settled. */
  readonly lost: number;
  /** Effects that happened more often than they were asked for. */
  readonly doubled: number;
}

/** Whether the account keeps the laws, and comes to the same end as the run that nothing disturbed. */
export function judge(account: Account, expected: Expected): Verdict {
  const { broken, lost, doubled } = effectFaults(account, expected.restless);
  const sentences = [
    ...relayFaults(account),
    ...ackFaults(account),
    ...peopleFaults(account),
    ...turnFaults(account),
    ...requestFaults(account, expected),
    ...broken,
    ...(expected.restless
      ? restlessFaults(account, expected)
      : [...promptnessFaults(account, expected.endsAt), ...outcomeFaults(account, expected)]),
  ];
  return { broken: sentences, lost, doubled };
}

/** Law 1: a message is acknowledged only when what it asked for is in the log, or asked for no more. */
function ackFaults({ entries, ledger }: Account): Broken[] {
  return ledger.acks.flatMap(({ body, logLength, subject, at }) => {
    if (!isSegmentOrder(body)) return [];
    const known = entries.slice(0, logLength).some(({ event }) => settlesOrder(event, body.segment));
    return known
      ? []
      : [
          `${subject} was acknowledged at ${at.toFixed(1)} before segment ${body.segment} had begun (log ${logLength}).`,
        ];
  });
}

const isSegmentOrder = (body: unknown): body is { readonly segment: number } =>
  typeof body === 'object' && body !== null && 'segment' in body;

/** Segment n has begun or is over, or the run has gone on or has ended. */
function settlesOrder(event: RunEvent, segment: number): boolean {
  switch (event.type) {
    case 'SegmentStarted':
    case 'SegmentEnded':
    case 'RunPresumedDead':
      return event.data.segment >= segment;
    case 'SegmentScheduled':
      return event.data.segment > segment;
    default:
      return event.type === 'CancelRequested' || event.type.startsWith('RunC') || event.type === 'RunHalted';
  }
}

/** What people wished is there once, and a call that needs their agreement has it. */
function peopleFaults({ entries, ledger }: Account): Broken[] {
  const messages = entries.flatMap(({ event }) => (event.type === 'MessageReceived' ? [event.data.messageId] : []));
  const broken = messages.length === new Set(messages).size ? [] : ['A message was received twice.'];
  const asked = new Map<string, number>();
  for (const { event, revision } of entries) {
    if (event.type === 'ApprovalRequested') asked.set(event.data.callId, revision);
    if (event.type === 'ApprovalGranted') asked.delete(event.data.callId);
    if (event.type === 'ToolCallStarted' && asked.has(event.data.callId)) {
      broken.push(`The call ${event.data.callId} began at ${revision} before anybody had agreed.`);
    }
  }
  return [...broken, ...answerFaults(entries, ledger)];
}

/** What the model is told as a person's answer, a person has said. */
function answerFaults(entries: readonly Entry[], { said }: Account['ledger']): Broken[] {
  const asked = new Set<string>();
  const broken: Broken[] = [];
  for (const { event } of entries) {
    if (event.type === 'ToolCallStarted' && event.data.tool === 'ask_human') asked.add(event.data.callId);
    if (event.type !== 'ToolCallCompleted' || event.data.outcome !== 'ok' || !asked.has(event.data.callId)) continue;
    const words = event.data.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    if (!said.has(words))
      broken.push(`Nobody has answered the question ${event.data.callId} with ${JSON.stringify(words)}.`);
  }
  return broken;
}

/** Turns are numbered without gap or repetition. */
function turnFaults({ entries }: Account): Broken[] {
  const turns = entries.flatMap(({ event }) => (event.type === 'ModelTurnCompleted' ? [event.data.turn] : []));
  return turns.every((turn, place) => turn === place + 1) ? [] : [`The turns are ${turns.join(' ')}.`];
}

/** Requests that are all as expected are rebuilt in every so-manyth case only. */
const REBUILT_EVERY = 8;

/** Law 6: each request can be rebuilt from the log as it was sent. */
function requestFaults({ recorded, requestDigests }: Account, expected: Expected): Broken[] {
  if (requestDigests === expected.requestDigests && recorded.length % REBUILT_EVERY !== 0) return [];
  const broken: Broken[] = [];
  const histories: History[] = [];
  for (const entry of recorded) {
    const { event, revision } = entry;
    const at = 'basedOn' in event.data ? histories[event.data.basedOn] : undefined;
    if (at && (event.type === 'ModelTurnCompleted' || event.type === 'ContextCompacted')) {
      const rebuild = event.type === 'ContextCompacted' ? compactionRequest : turnRequest;
      const rebuilt = requestDigest(rebuild(at.run, at.context, event.data.basedOn));
      if (rebuilt !== event.data.requestDigest) broken.push(`The request of ${revision}@run cannot be rebuilt.`);
    }
    histories.push(replay(histories.at(-1), entry));
  }
  return broken;
}

/** Where nobody can know what became of a call, the model is told so, and what it is shown differs by those words. */
function outcomeFaults(
  { ledger, contextDigest, requestDigests, result, entries }: Account,
  expected: Expected,
): Broken[] {
  const broken = result === expected.result ? [] : [`The run came to ${result} instead of ${expected.result}.`];
  if (ledger.unknowable.size > 0) return broken;
  if (contextDigest !== expected.contextDigest) broken.push('The final context is another one.');
  if (requestDigests !== expected.requestDigests) broken.push('The model was asked something else on the way.');
  return broken.concat(unsettled(entries));
}

const unsettled = (entries: readonly Entry[]): Broken[] =>
  entries.some(({ event }) => event.type === 'ToolCallInDoubt')
    ? ['A call is in doubt although its end was known.']
    : [];
