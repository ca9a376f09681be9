import { type Digest, type Moment, millisOf, type Recorded, type RunEvent } from '#contracts';
import { answeredBy, carryOut, denied, rejected } from './calls.js';
import { answerDueBy } from './caps.js';
import { settledByPerson, startedAgain } from './doubt.js';
import { evolve } from './evolve.js';
import { carrierOf, isCheckedByWorkspace, needsApproval, refusalOf } from './offered-tools.js';
import { callsDue, type OpenCall, type Run } from './run.js';
import type { SegmentEvent } from './segment.js';

/** Names a tool's input by its content; passed in, since the domain knows no hash function. */
export type DigestOf = (input: unknown) => Digest;

interface Place {
  readonly segment: number;
  readonly at: Moment;
}

/**
 * What is recorded with a turn about the calls that it asks for, in the turn's own append: a wrong input is answered,
 * a person is asked where one must agree, a call to the workspace is written ahead of its effect (law 2), and an item is
 * settled on the spot, since the log is all that settling changes.
 */
export function withCalls(run: Run, turn: SegmentEvent, place: Place, digestOf: DigestOf): readonly SegmentEvent[] {
  const answered = fold(run, [turn]);
  return [turn, ...openingEvents(answered, place, digestOf)];
}

/** What the workspace has said of inputs, by call: what is wrong, or `undefined` where nothing is. */
export type Checked = ReadonlyMap<string, string | undefined>;
const NOTHING_CHECKED: Checked = new Map();

/** The calls of which the workspace has to check the input before a person is asked about them. */
export const callsToCheck = (run: Run): readonly OpenCall[] => callsDue(run).filter((call) => awaitsCheck(run, call));

const awaitsCheck = (run: Run, call: OpenCall): boolean =>
  call.state === 'asked' &&
  call.question === undefined &&
  isCheckedByWorkspace(call.tool) &&
  refusalOf(run, call) === undefined &&
  needsApproval(run, call);

/**
 * What is recorded of every call that is due before the workspace is asked to run anything. A call whose input is still to
 * be checked stays as it is.
 */
export function openingEvents(
  run: Run,
  place: Place,
  digestOf: DigestOf,
  checked: Checked = NOTHING_CHECKED,
): readonly SegmentEvent[] {
  const events: SegmentEvent[] = [];
  for (const call of callsDue(run)) {
    const awaited = awaitsCheck(run, call);
    const fault = checked.get(call.callId);
    if (awaited && !checked.has(call.callId)) continue;
    if (awaited && fault !== undefined) events.push(rejected(call, place.segment, place.at, fault));
    else events.push(...opened(fold(run, events), call, place, digestOf));
  }
  return events;
}

function opened(run: Run, call: OpenCall, place: Place, digestOf: DigestOf): readonly SegmentEvent[] {
  switch (call.state) {
    case 'asked':
      return begun(run, call, place, digestOf);
    case 'started':
      return goneOn(run, call, place);
    case 'in-doubt':
      return call.question?.state === 'granted'
        ? [startedAgain(call, place, call.question.inputDigest)]
        : [settledByPerson(call, place)];
  }
}

function goneOn(run: Run, call: OpenCall, { segment, at }: Place): readonly SegmentEvent[] {
  switch (carrierOf(call.tool)) {
    case 'workspace':
      return [];
    case 'log':
      return carryOut(run, call, segment, at);
    case 'person':
      return [answeredBy(call, segment, at)];
  }
}

function begun(run: Run, call: OpenCall, { segment, at }: Place, digestOf: DigestOf): readonly SegmentEvent[] {
  const refusal = refusalOf(run, call);
  if (refusal !== undefined) return [rejected(call, segment, at, refusal)];
  const inputDigest = digestOf(call.input);
  if (needsApproval(run, call) && !isGranted(call, at)) return [unapproved(run, call, { segment, at }, inputDigest)];
  const started: SegmentEvent = {
    type: 'ToolCallStarted',
    data: { at, segment, callId: call.callId, tool: call.tool, inputDigest },
  };
  return carrierOf(call.tool) === 'log' ? [started, ...carryOut(run, call, segment, at)] : [started];
}

const isGranted = ({ question }: OpenCall, at: Moment): boolean =>
  question?.state === 'granted' && millisOf(at) <= millisOf(question.expiresAt);

/** Asks a person, or tells the model that none has agreed. A grant that came too late to be used is asked for again. */
function unapproved(run: Run, call: OpenCall, { segment, at }: Place, inputDigest: Digest): SegmentEvent {
  const { question } = call;
  if (question?.state === 'denied') {
    return denied(
      call,
      segment,
      at,
      `${question.by ?? 'A person'} did not agree to this call: ${question.words ?? ''}`,
    );
  }
  if (question?.state === 'expired') {
    return denied(call, segment, at, `Nobody has agreed to this call until ${question.expiresAt}; it was not run.`);
  }
  const expiresAt = answerDueBy(run, at);
  return { type: 'ApprovalRequested', data: { at, segment, callId: call.callId, inputDigest, expiresAt } };
}

/**
 * A person has interrupted: what was only asked for is not begun, and nobody waits for other people any more. Calls that
 * run in the workspace are stopped by the shell.
 */
export function interruptedCalls(run: Run, { segment, at }: Place): readonly SegmentEvent[] {
  return run.openCalls
    .filter(({ state, tool }) => state !== 'started' || carrierOf(tool) === 'person')
    .map((call) =>
      call.state === 'in-doubt'
        ? settledByPerson(call, { segment, at })
        : denied(call, segment, at, 'A person has interrupted with a message; this call was not carried out.'),
    );
}

/** The state once these events are recorded. */
export function fold(run: Run, events: readonly RunEvent[]): Run {
  return events.reduce<Run>((state, event) => evolve(state, foreseen(state, event)), run);
}

const foreseen = (run: Run, event: RunEvent): Recorded<RunEvent> => ({
  id: '',
  revision: run.last.revision + 1,
  event,
  metadata: { tenant: '', correlationId: '', actor: { kind: 'segment', id: '' }, schemaVersion: 1 },
});
