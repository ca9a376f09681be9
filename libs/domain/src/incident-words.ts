import type { RunEvent } from '#contracts';
import { inTime } from './in-time.js';
import type { OpenCall, Question, Run } from './run.js';

/*
 * What was noticed and what was done about it, in a sentence each. The report is for people; nothing here is shown to a
 * model, so the words may change at any time.
 */

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>['data'];

function where({ relay }: Run): string {
  if (relay.phase !== 'working') return '';
  const { host, pid } = relay.runner;
  return ` (process ${pid} on ${host})`;
}

export const crashWords = (before: Run, { segment, detail }: Of<'SegmentEnded'>): string =>
  `The process of segment ${segment}${where(before)} died${detail ? ` (${detail})` : ''}; its supervisor saw it at once.`;

export const drainWords = (before: Run, { segment, detail }: Pick<Of<'SegmentEnded'>, 'segment' | 'detail'>): string =>
  detail === undefined
    ? `Segment ${segment} handed off because its process was asked to stop (a deployment or a shutdown).`
    : `Segment ${segment}${where(before)} handed off unasked: ${detail}`;

export function presumedDeadWords(before: Run, { segment, evidence, silentMs }: Of<'RunPresumedDead'>): string {
  return `Segment ${segment}${where(before)} ${EVIDENCE_WORDS[evidence](inTime(silentMs))}; the sweeper declared it dead.`;
}

const EVIDENCE_WORDS: Readonly<Record<Of<'RunPresumedDead'>['evidence'], (silent: string) => string>> = {
  silence: (silent) => `gave no sign of life for ${silent}`,
  'no-responders': (silent) => `was gone: nobody answered for it, ${silent} after its last sign of life`,
  'process-gone': (silent) => `was gone: its process was not there any more, after ${silent} without a sign of life`,
};

export const standstillWords = (before: Run, ms: number): string =>
  `Segment ${before.relay.phase === 'working' ? before.relay.segment : before.segments}${where(before)} recorded nothing for ${inTime(ms)} while neither the model nor a tool was at work: the log, the bus, the workspace or the machine was away or slow.`;

/** What others said, as a sentence that more may follow. */
export const asSentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

const named = (call: OpenCall | undefined, callId: string): string =>
  call === undefined ? `the call ${callId}` : `${call.tool} (call ${callId})`;

export const doubtWords = (call: OpenCall | undefined, { callId, reason }: Of<'ToolCallInDoubt'>): string =>
  `Nobody knew whether ${named(call, callId)} took effect: ${asSentence(reason)}`;

export const timeoutWords = (call: OpenCall | undefined, { callId, durationMs }: Of<'ToolCallCompleted'>): string =>
  `${named(call, callId)} reached its time limit${durationMs > 0 ? ` after ${inTime(durationMs)}` : ''}.`;

export const failureWords = (event: Extract<RunEvent, { type: 'RunHalted' | 'RunFailed' }>): string =>
  asSentence(`The run ${event.type === 'RunHalted' ? 'was halted' : 'failed'}: ${event.data.reason}`);

export function questionWords({ callId, tool, question }: OpenCall & { readonly question: Question }): string {
  return question.kind === 'answer'
    ? `The model asked a person a question (call ${callId}).`
    : `${tool} (call ${callId}) needed a person’s agreement.`;
}

/** How a question to a person came to its end, by the event that did it. */
export function questionAnswered(event: RunEvent, after: string): string {
  switch (event.type) {
    case 'ApprovalGranted':
      return `${event.data.by} agreed after ${after}.`;
    case 'ApprovalDenied':
      return `${event.data.by} did not agree, after ${after}.`;
    case 'ApprovalExpired':
      return `Nobody answered in ${after}; the model was told.`;
    case 'MessageReceived':
      return `${event.data.by} answered after ${after}.`;
    default:
      return `It was given up after ${after}.`;
  }
}

/** How a doubt came to its end. */
export function settledWords(event: RunEvent): string {
  if (event.type === 'ToolCallSettled') {
    return {
      model: 'The model was told so.',
      probe: 'A probe of the world settled it.',
      person: 'A person settled it.',
    }[event.data.by];
  }
  return 'It was run again under the same key, and its result is known.';
}
