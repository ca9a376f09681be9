import { type Incident, type Moment, millisOf, type Recorded, type RunEvent } from '#contracts';
import { inTime } from './in-time.js';
import {
  asSentence,
  crashWords,
  doubtWords,
  drainWords,
  failureWords,
  presumedDeadWords,
  questionAnswered,
  questionWords,
  settledWords,
  standstillWords,
  timeoutWords,
} from './incident-words.js';
import { costOf, tokensOf } from './money.js';
import { type OpenCall, pendingQuestions, type Run } from './run.js';
import { standstillBefore } from './standstill.js';

/** An incident that is not over. */
interface Lasting extends Omit<Incident, 'done' | 'outcome' | 'overAt' | 'withoutProgressMs'> {
  /** The call that it is about. */
  readonly callId?: string;
  readonly done: readonly string[];
  /** When the last of `times` was noticed: what is done is done after this. */
  readonly lastAt: Moment;
  /** A model turn was due when the segment died: it is asked for a second time. */
  readonly turnDue?: boolean;
}

/** The incidents of one run so far. */
export interface Chronicle {
  readonly steppedAt: Moment | undefined;
  readonly lasting: readonly Lasting[];
  readonly over: readonly Incident[];
  /** Those beyond the most that are kept. */
  readonly more: number;
}

export const emptyChronicle: Chronicle = { steppedAt: undefined, lasting: [], over: [], more: 0 };

const KEPT = 100;
/** A segment that waits longer than this for a runner is an incident, milliseconds. */
const LONG_WAIT_MS = 30_000;

const STEPS: ReadonlySet<RunEvent['type']> = new Set([
  'ModelTurnCompleted',
  'ContextCompacted',
  'ToolCallCompleted',
  'ToolCallSettled',
  'ItemCompleted',
  'ItemFailed',
]);

/** Whether work has gone on with this event. */
const isStep = ({ type }: RunEvent): boolean => STEPS.has(type);

/** Goes on with one event: `before` and `after` are the run on its two sides. No clock is read. */
export function chronicle(known: Chronicle, before: Run, after: Run, { event }: Recorded<RunEvent>): Chronicle {
  const { at } = event.data;
  let next = stoodStill(known, before, event);
  next = begun(next, before, event);
  next = goneOn(next, before, after, event);
  next = ended(next, before, after, event);
  return isStep(event) ? { ...stepped(next, after, event), steppedAt: at } : next;
}

/** What lasts at the end of the report, as it is then. */
export function lastingAt({ lasting }: Chronicle, until: Moment): readonly Incident[] {
  return lasting.map((one) => {
    const stood = STANDING.has(one.kind) ? still(one, until) : {};
    return { ...told(one), ...stood, outcome: one.kind === 'halt' || one.kind === 'failure' ? 'ended' : 'open' };
  });
}

/** Those in which the run stands still through no wish of anybody. */
const STANDING: ReadonlySet<Incident['kind']> = new Set(['death', 'drain', 'orphan', 'model', 'backlog', 'standstill']);

/** Those after which the run goes on in another segment. */
const MOVED: ReadonlySet<Incident['kind']> = new Set(['death', 'drain', 'orphan']);

function begun(known: Chronicle, before: Run, event: RunEvent): Chronicle {
  switch (event.type) {
    case 'SegmentEnded':
      if (event.data.reason === 'crashed') return died(known, before, event.data, crashWords(before, event.data));
      return event.data.reason === 'drain' ? drained(known, before, event.data) : known;
    case 'RunPresumedDead':
      return died(known, before, event.data, presumedDeadWords(before, event.data));
    case 'SegmentStarted':
      return waited(known, before, event.data.at);
    case 'ModelTurnFailed':
      return modelFailed(known, event.data);
    case 'ToolCallInDoubt': {
      const { at, callId, segment } = event.data;
      const noticed = doubtWords(callOf(before, callId), event.data);
      return { ...known, lasting: [...known.lasting, { ...opening('doubt', callId, at), segment, callId, noticed }] };
    }
    case 'ToolCallCompleted': {
      const { at, callId, outcome, segment } = event.data;
      if (outcome !== 'timed-out') return known;
      const call = callOf(before, callId);
      const incident = opening('timeout', call?.tool ?? '', at);
      const noticed = timeoutWords(call, event.data);
      return closed(
        known,
        { ...incident, segment, noticed, done: ['It was stopped and the model was told.'] },
        at,
        'healed',
      );
    }
    case 'RunHalted':
    case 'RunFailed': {
      const kind = event.type === 'RunHalted' ? 'halt' : 'failure';
      const cause = event.type === 'RunHalted' ? event.data.cap : event.data.reason;
      const incident = { ...opening(kind, cause, event.data.at), noticed: failureWords(event) };
      return { ...known, lasting: [...known.lasting, incident] };
    }
    default:
      return known;
  }
}

const opening = (kind: Incident['kind'], about: string, at: Moment) => ({
  kind,
  cause: `${kind}/${about}`,
  noticedAt: at,
  lastAt: at,
  times: 1,
  done: [],
});

const callOf = (run: Run, callId: string): OpenCall | undefined => run.openCalls.find((call) => call.callId === callId);

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>['data'];

function died(
  known: Chronicle,
  before: Run,
  { at, segment }: { readonly at: Moment; readonly segment: number },
  noticed: string,
): Chronicle {
  const { relay } = before;
  if ((relay.phase !== 'working' && relay.phase !== 'scheduled') || relay.segment !== segment) return known;
  const earlier = known.lasting.find(({ kind }) => kind === 'death');
  if (earlier) {
    const again = { ...earlier, times: earlier.times + 1, lastAt: at, segment, noticed };
    return { ...known, lasting: known.lasting.map((one) => (one === earlier ? again : one)) };
  }
  const runner = relay.phase === 'working' ? relay.runner : undefined;
  const incident: Lasting = {
    ...opening('death', runner?.runnerId ?? 'nobody', at),
    segment,
    noticed,
    stillSince: known.steppedAt ?? (relay.phase === 'working' ? relay.startedAt : before.since),
    turnDue: relay.phase === 'working' && before.openCalls.length === 0,
    ...(runner && { runner }),
  };
  return { ...known, lasting: [...known.lasting, incident] };
}

/** A process that was asked to stop gives no reason; one that does was not asked: its supervisor was gone. */
function drained(known: Chronicle, before: Run, { at, segment, detail }: Of<'SegmentEnded'>): Chronicle {
  const runner = before.relay.phase === 'working' ? before.relay.runner : undefined;
  const incident: Lasting = {
    ...opening(detail === undefined ? 'drain' : 'orphan', runner?.runnerId ?? 'unknown', at),
    segment,
    noticed: drainWords(before, { segment, detail }),
    stillSince: known.steppedAt ?? at,
    ...(runner && { runner }),
  };
  return { ...known, lasting: [...known.lasting, incident] };
}

function waited(known: Chronicle, { relay, since }: Run, at: Moment): Chronicle {
  const waitedMs = millisOf(at) - millisOf(since);
  if (relay.phase !== 'scheduled' || waitedMs < LONG_WAIT_MS) return known;
  const noticed = `Segment ${relay.segment} waited ${inTime(waitedMs)} for a free runner.`;
  const incident = { ...opening('backlog', 'runners', since), segment: relay.segment, stillSince: since, noticed };
  return closed(known, { ...incident, done: ['Then one took it.'] }, at, 'healed');
}

/** Whatever else is wrong explains why nothing goes on. */
function stoodStill(known: Chronicle, before: Run, event: RunEvent): Chronicle {
  const stood = standstillBefore(before, event);
  if (!stood || known.lasting.some(({ kind }) => STANDING.has(kind))) return known;
  const { from, to, ms, segment } = stood;
  const incident = { ...opening('standstill', 'segments', from), segment, stillSince: from };
  return closed(
    known,
    { ...incident, noticed: standstillWords(before, ms), done: ['It went on by itself.'] },
    to,
    'healed',
  );
}

function modelFailed(known: Chronicle, { at, kind, message, segment, turn }: Of<'ModelTurnFailed'>): Chronicle {
  const earlier = known.lasting.find((one) => one.kind === 'model');
  const noticed = `The model did not answer turn ${turn} (${kind.replaceAll('-', ' ')}): ${asSentence(message)}`;
  if (earlier) {
    const again = { ...earlier, times: earlier.times + 1, lastAt: at, segment, noticed };
    return { ...known, lasting: known.lasting.map((one) => (one === earlier ? again : one)) };
  }
  const incident = { ...opening('model', kind, at), segment, noticed, stillSince: known.steppedAt ?? at };
  return { ...known, lasting: [...known.lasting, incident] };
}

/** What is done about those that last, and the questions that come and go. */
function goneOn(known: Chronicle, before: Run, after: Run, event: RunEvent): Chronicle {
  const { at } = event.data;
  const asked = pendingQuestions(after)
    .filter(({ callId, question }) => question.kind !== 'doubt' && !isAsked(before, callId))
    .map((call): Lasting => {
      const { callId } = call;
      return { ...opening('question', 'people', at), callId, noticed: questionWords(call) };
    });
  let next: Chronicle = { ...known, lasting: [...known.lasting, ...asked] };
  for (const one of next.lasting) {
    const { kind, callId = '' } = one;
    if (kind === 'question' && isAsked(before, callId) && !isAsked(after, callId)) {
      next = closed(next, did(one, questionAnswered(event, inTime(elapsed(one, at)))), at, 'healed');
    }
  }
  const words = doneWords(event);
  if (words === undefined) return next;
  const note = (one: Lasting): Lasting =>
    MOVED.has(one.kind) ? did(one, `${words} after ${inTime(elapsed(one, at))}.`) : one;
  return { ...next, lasting: next.lasting.map(note) };
}

const isAsked = (run: Run, callId: string): boolean =>
  callOf(run, callId)?.question?.state === 'pending' && callOf(run, callId)?.question?.kind !== 'doubt';

const elapsed = ({ lastAt }: Lasting, at: Moment): number => Math.max(0, millisOf(at) - millisOf(lastAt));

/** Of the restarts in a row only the last one is told. */
const did = (one: Lasting, words: string): Lasting => ({ ...one, done: [...one.done, words].slice(-2) });

function doneWords(event: RunEvent): string | undefined {
  if (event.type === 'SegmentScheduled') return `Segment ${event.data.segment} was scheduled`;
  return event.type === 'SegmentStarted' ? `It started on process ${event.data.runner.pid}` : undefined;
}

/** What is over with a step of the run. */
function stepped(known: Chronicle, after: Run, event: RunEvent): Chronicle {
  const { at } = event.data;
  let next = known;
  for (const one of known.lasting) {
    if (MOVED.has(one.kind)) {
      next = closed(next, withLost(did3(one, firstStep(event)), after, event), at, 'healed');
    }
    if (one.kind === 'model' && (event.type === 'ModelTurnCompleted' || event.type === 'ContextCompacted')) {
      const words = `It answered after ${one.times} failed attempt${one.times === 1 ? '' : 's'}, ${inTime(elapsed({ ...one, lastAt: one.noticedAt }, at))} after the first.`;
      next = closed(next, did(one, words), at, 'healed');
    }
    if (one.kind === 'doubt' && 'callId' in event.data && event.data.callId === one.callId) {
      next = closed(next, did(one, settledWords(event)), at, 'healed');
    }
  }
  return next;
}

const did3 = (one: Lasting, words: string): Lasting =>
  words === '' ? one : { ...one, done: [...one.done, words].slice(-3) };

const firstStep = (event: RunEvent): string =>
  event.type === 'ToolCallCompleted' && event.data.collected === true
    ? `The call ${event.data.callId} had gone on in the workspace and was collected.`
    : '';

function withLost(one: Lasting, { price }: Run, event: RunEvent): Lasting {
  if (one.kind !== 'death' || one.turnDue !== true || event.type !== 'ModelTurnCompleted') return one;
  const { usage } = event.data;
  const dollars = price === null ? {} : { dollars: costOf(usage, price) / 1_000_000 };
  return { ...one, lost: { tokens: tokensOf(usage), ...dollars } };
}

/** What is over with the run, or with its reopening. */
function ended(known: Chronicle, before: Run, after: Run, event: RunEvent): Chronicle {
  const { at } = event.data;
  const halted = before.relay.phase === 'ended';
  const isOver = after.relay.phase === 'ended';
  let next = known;
  for (const one of known.lasting) {
    const isEnd = one.kind === 'halt' || one.kind === 'failure';
    if (isEnd && halted && !isOver) {
      const by = event.type === 'RunReopened' ? event.data.by : 'nobody';
      next = closed(next, did(one, `It was reopened by ${by} after ${inTime(elapsed(one, at))}.`), at, 'healed');
    }
    if (!isEnd && isOver && !halted)
      next = closed(next, did3(one, `The run ended then: ${wordOf(after)}.`), at, 'ended');
  }
  return next;
}

const wordOf = ({ relay }: Run): string => (relay.phase === 'ended' ? relay.outcome : relay.phase);

function closed(known: Chronicle, one: Lasting, at: Moment, outcome: Incident['outcome']): Chronicle {
  const stood = STANDING.has(one.kind) ? still(one, at) : {};
  const incident: Incident = { ...told(one), ...stood, outcome, overAt: at };
  const lasting = known.lasting.filter((other) => !isSame(other, one));
  const over = [...known.over, incident].slice(-KEPT);
  return { ...known, lasting, over, more: known.more + (known.over.length < KEPT ? 0 : 1) };
}

const isSame = (a: Lasting, b: Lasting): boolean =>
  a.kind === b.kind && a.noticedAt === b.noticedAt && a.callId === b.callId;

const still = ({ stillSince }: Lasting, at: Moment): Pick<Incident, 'withoutProgressMs'> =>
  stillSince === undefined ? {} : { withoutProgressMs: Math.max(0, millisOf(at) - millisOf(stillSince)) };

function told({ callId: _call, turnDue: _due, lastAt: _last, done, ...one }: Lasting): Omit<Incident, 'outcome'> {
  const again = one.times > 1 && one.kind === 'death' ? ` It died ${one.times} times in a row without a step.` : '';
  return { ...one, noticed: `${one.noticed}${again}`, done: done.join(' ') };
}
