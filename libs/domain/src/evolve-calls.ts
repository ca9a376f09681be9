import type { CallId, Digest, Moment, RunEvent } from '#contracts';
import { answerDueBy } from './caps.js';
import { attachedNotice } from './notices.js';
import { carrierOf } from './offered-tools.js';
import type { OpenCall, Question, Run } from './run.js';

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>['data'];

type CallEvent = Extract<
  RunEvent,
  { type: 'ToolCallStarted' | 'ToolCallInDoubt' | 'ToolCallCompleted' | 'ToolCallSettled' }
>;

export function callChanges(run: Run, event: CallEvent): Partial<Run> {
  const { callId, segment, at } = event.data;
  const others = run.openCalls.filter((call) => call.callId !== callId);
  switch (event.type) {
    case 'ToolCallStarted': {
      const { tool, inputDigest, attempt: attempts = 1 } = event.data;
      return withCall(run, callId, ({ tool: name, input }) => {
        const started = { callId, tool: name, input, state: 'started' as const, startedAt: at, segment, attempts };
        return tool === 'ask_human' ? { ...started, question: openQuestion(run, inputDigest, at) } : started;
      });
    }
    case 'ToolCallInDoubt':
      return withCall(run, callId, (call) => ({ ...call, state: 'in-doubt' }));
    case 'ToolCallCompleted': {
      const { outcome } = event.data;
      const began = outcome !== 'rejected' && outcome !== 'denied';
      return {
        openCalls: others,
        executed: run.executed + (began && isEffect(run, callId) ? 1 : 0),
        background: outcome === 'ok' ? backgroundAfter(run, callId) : run.background,
      };
    }
    case 'ToolCallSettled':
      return { openCalls: others, executed: run.executed + 1 };
  }
}

const openQuestion = (run: Run, inputDigest: Digest, since: Moment): Question => ({
  kind: 'answer',
  state: 'pending',
  inputDigest,
  since,
  expiresAt: answerDueBy(run, since),
});

const BACKGROUND_REMEMBERED = 20;
const COMMAND_CHARACTERS = 200;

/** The commands in the background once this call has ended well. */
function backgroundAfter(run: Run, callId: CallId): Run['background'] {
  const { tool, input = {} } = run.openCalls.find((call) => call.callId === callId) ?? {};
  const { command, background, command_id: stopped } = input;
  if (tool === 'stop_command') return run.background.filter((started) => started.callId !== stopped);
  if (tool !== 'bash' || background !== true || typeof command !== 'string') return run.background;
  return [...run.background, { callId, command: command.slice(0, COMMAND_CHARACTERS) }].slice(-BACKGROUND_REMEMBERED);
}

/** Whether the call does something outside the log. */
const isEffect = (run: Run, callId: string): boolean =>
  run.openCalls.some((call) => call.callId === callId && carrierOf(call.tool) === 'workspace');

type QuestionEvent = Extract<
  RunEvent,
  { type: 'ApprovalRequested' | 'ApprovalGranted' | 'ApprovalDenied' | 'ApprovalExpired' }
>;

const QUESTION_EVENTS: readonly string[] = [
  'ApprovalRequested',
  'ApprovalGranted',
  'ApprovalDenied',
  'ApprovalExpired',
] satisfies QuestionEvent['type'][];
export const isOfQuestion = (event: RunEvent): event is QuestionEvent => QUESTION_EVENTS.includes(event.type);

export const questionChanges = (run: Run, event: QuestionEvent): Partial<Run> =>
  withCall(run, event.data.callId, (call) => {
    const question = questionAfter(call.question, event);
    return question ? { ...call, question } : call;
  });

/** What people say of a call counts only for the exact input that they were shown. The first answer holds. */
export function questionAfter(question: Question | undefined, event: QuestionEvent): Question | undefined {
  if (event.type === 'ApprovalRequested') {
    const { inputDigest, expiresAt, at, about = 'call' } = event.data;
    return { kind: about === 'call' ? 'approval' : 'doubt', state: 'pending', inputDigest, since: at, expiresAt };
  }
  if (question?.state !== 'pending') return question;
  if (event.type === 'ApprovalExpired') return { ...question, state: 'expired' };
  if (question.kind === 'answer' || question.inputDigest !== event.data.inputDigest) return question;
  const { by } = event.data;
  if (event.type === 'ApprovalGranted') return { ...question, state: 'granted', by };
  const { decision, reason: words } = event.data;
  return { ...question, state: 'denied', words, by, ...(decision && { decision }) };
}

const MESSAGES_RESTATED = 20;
const MESSAGES_REMEMBERED = 100;

/** A message answers the question of `ask_human` that it names, or the only one that is open; any other waits to be read. */
export function messageChanges(run: Run, data: Of<'MessageReceived'>, revision: number): Partial<Run> {
  const { text, by, interrupt, messageId, attachments } = data;
  const received = [...run.received, { messageId, revision }].slice(-MESSAGES_REMEMBERED);
  const callId = data.callId ?? onlyQuestion(run);
  if (callId !== undefined) {
    const answer = (question: Question): Question => ({
      ...question,
      state: 'answered',
      by,
      words: text,
      ...(attachments && { attachments }),
    });
    return { received, ...withCall(run, callId, (call) => asked(call, answer)) };
  }
  return {
    received,
    unread: [...run.unread, revision],
    interrupt: interrupt ? revision : run.interrupt,
    told: [...run.told, attachments ? `${text} ${attachedNotice(attachments.length)}` : text].slice(-MESSAGES_RESTATED),
  };
}

function onlyQuestion(run: Run): string | undefined {
  const open = run.openCalls.filter(({ question }) => question?.kind === 'answer' && question.state === 'pending');
  return open.length === 1 ? open[0]?.callId : undefined;
}

/** The first answer holds. */
const asked = (call: OpenCall, answer: (question: Question) => Question): OpenCall =>
  call.question?.state === 'pending' ? { ...call, question: answer(call.question) } : call;

const withCall = (run: Run, callId: string, change: (call: OpenCall) => OpenCall): Partial<Run> => ({
  openCalls: run.openCalls.map((call) => (call.callId === callId ? change(call) : call)),
});
