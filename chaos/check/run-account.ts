import { type Call, callsOf, ofType, textOf } from './calls.js';
import type { Finding, LoggedEvent, RunFacts } from './facts.js';

const ENDS: readonly string[] = ['RunCompleted', 'RunFailed', 'RunCancelled', 'RunHalted'];

const OVER: readonly string[] = ['SegmentEnded', 'RunPresumedDead'];
/** What a segment alone may record, while it is at work. */
const WORK: readonly string[] = [
  'ModelTurnCompleted',
  'ModelTurnFailed',
  'ContextCompacted',
  'ItemStarted',
  'ItemCompleted',
  'ItemFailed',
  'ToolCallStarted',
  'ToolCallCompleted',
  'ToolCallInDoubt',
  'ToolCallSettled',
];

export interface RunAccount {
  readonly findings: readonly Finding[];
  readonly finished: boolean;
  readonly inDoubt: number;
  readonly failedItems: number;
}

type Found = Omit<Finding, 'run'>;
const lost = (what: string): Found => ({ kind: 'lost', what });
const doubled = (what: string): Found => ({ kind: 'doubled', what });
const unfinished = (what: string): Found => ({ kind: 'unfinished', what });

/** Compares the three accounts of one run. */
export function accountOf(run: RunFacts): RunAccount {
  const calls = callsOf(run);
  const end = run.events.find(({ type }) => ENDS.includes(type));
  const found = [
    ...relayOf(run),
    ...strangers(run),
    ...twice(run, 'ToolCallStarted'),
    ...twice(run, 'ToolCallCompleted'),
    ...calls.flatMap((call) => ofCall(call, end !== undefined)),
    ...repeated(calls),
    ...strayNotes(run, calls),
    ...run.items.flatMap((item) => ofItem(item, run, calls)),
    ...executedTwice(run),
    ...endOf(run, end),
  ];
  return {
    findings: found.map((finding) => ({ ...finding, run: run.id })),
    finished: end?.type === 'RunCompleted',
    inDoubt: ofType(run.events, 'ToolCallInDoubt').length,
    failedItems: ofType(run.events, 'ItemFailed').length,
  };
}

function endOf({ events }: RunFacts, end: LoggedEvent | undefined): readonly Found[] {
  const last = events.at(-1);
  if (!end) return [unfinished(`has no end; its last event is ${last?.type ?? 'none'} (${last?.revision ?? -1})`)];
  return end.type === 'RunCompleted' ? [] : [unfinished(`ended with ${end.type}: ${textOf(end.data['reason'])}`)];
}

/** One end and nothing after it, each segment begun once and only after the one before it was over, no gap in the stream. */
function relayOf({ events }: RunFacts): readonly Found[] {
  const gap = events.find(({ revision }, place) => revision !== place);
  if (gap) return [lost(`revision ${events.indexOf(gap)} is missing`)];
  const found: Found[] = [];
  const begun = new Set<string>();
  let working = false;
  for (const { revision, type, data } of ofType(events, 'SegmentStarted', 'SegmentEnded', 'RunPresumedDead')) {
    if (type === 'SegmentStarted') {
      const segment = textOf(data['segment']);
      if (begun.has(segment)) found.push(doubled(`segment ${segment} was begun twice`));
      if (working) found.push(doubled(`two segments work at revision ${revision}`));
      begun.add(segment);
    }
    working = type === 'SegmentStarted';
  }
  const end = events.findIndex(({ type }) => ENDS.includes(type));
  const late = end < 0 ? [] : events.slice(end + 1);
  return [...found, ...late.map(({ type, revision }) => doubled(`${type} (${revision}) follows the end`))];
}

/** A segment that was presumed dead, woke up and went on writing. */
function strangers({ events }: RunFacts): readonly Found[] {
  let atWork: unknown;
  const found: Found[] = [];
  for (const { revision, type, data } of events) {
    if (type === 'SegmentStarted') atWork = data['segment'];
    else if (OVER.includes(type)) atWork = undefined;
    else if (WORK.includes(type) && data['segment'] !== undefined && data['segment'] !== atWork) {
      found.push(doubled(`${type} (${revision}) is of segment ${textOf(data['segment'])}, which is not at work`));
    }
  }
  return found;
}

/** The same fact about a call recorded twice; after a doubt a call may be started again, under another attempt. */
function twice({ events }: RunFacts, type: string): readonly Found[] {
  const seen = new Set<string>();
  const found: Found[] = [];
  for (const { data, revision } of ofType(events, type)) {
    const attempt = type === 'ToolCallStarted' ? `, attempt ${textOf(data['attempt'] ?? 1)},` : '';
    const call = `${textOf(data['callId'])}${attempt}`;
    if (seen.has(call)) found.push(doubled(`${type} of ${call} at revision ${revision} is the second`));
    seen.add(call);
  }
  return found;
}

/** It noted its beginning and its end as often as the log says that it was carried out. */
function ofCall(
  { callId, word, isStarted, outcome, isInDoubt, began, ended }: Call,
  isOver: boolean,
): readonly Found[] {
  const name = `call ${callId} (${word})`;
  return [
    ...(began > 1 || ended > 1 ? [doubled(`${name} noted itself ${began} and ${ended} times`)] : []),
    ...(outcome === 'ok' && ended === 0 ? [lost(`${name} is done and has left no note`)] : []),
    ...(began > 0 && !isStarted ? [lost(`${name} was carried out and is not in the log`)] : []),
    ...(isOver && isStarted && outcome === undefined && !isInDoubt
      ? [lost(`${name} was started and has neither a result nor a doubt`)]
      : []),
  ];
}

function repeated(calls: readonly Call[]): readonly Found[] {
  const again = calls.filter(({ word }, place) => calls.findIndex((call) => call.word === word) < place);
  return again.map(({ callId, word }) => doubled(`the command ${word} was asked for again by call ${callId}`));
}

function strayNotes({ ledger }: RunFacts, calls: readonly Call[]): readonly Found[] {
  const known = new Set(calls.flatMap(({ word }) => [`begin ${word}`, `end ${word}`]));
  return ledger
    .filter((line) => !known.has(line))
    .map((line) => lost(`the note "${line}" belongs to no call in the log`));
}

/** Settled once, as done only when its commands were, as failed only when one of them was. */
function ofItem(item: string, { events }: RunFacts, all: readonly Call[]): readonly Found[] {
  const [end, ...more] = ofType(events, 'ItemCompleted', 'ItemFailed').filter(({ data }) => data['itemId'] === item);
  if (more.length > 0) return [doubled(`item ${item} was settled ${more.length + 1} times`)];
  const isComplete = events.some(({ type }) => type === 'RunCompleted');
  if (!end) return isComplete ? [lost(`item ${item} is not settled although the run is complete`)] : [];
  const calls = all.filter((call) => call.item === item);
  const bad = calls.filter(({ outcome }) => outcome !== 'ok');
  if (end.type === 'ItemFailed') {
    return bad.length === 0 ? [lost(`item ${item} failed although its commands did not`)] : [];
  }
  if (calls.length === 0) return [lost(`item ${item} is done and no command was run for it`)];
  return bad.some(({ isInDoubt }) => !isInDoubt) ? [lost(`item ${item} is done although a command of it failed`)] : [];
}

function executedTwice({ journal }: RunFacts): readonly Found[] {
  const many = journal.filter(({ executions }) => executions > 1);
  return many.map(({ callId, attempt, executions }) =>
    doubled(`the journal has ${executions} executions of call ${callId}, attempt ${attempt}`),
  );
}
