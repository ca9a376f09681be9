import type { Finding, JournalledCall, LoggedEvent, RunFacts } from './facts.js';

export const ENDS: readonly string[] = ['RunCompleted', 'RunFailed', 'RunCancelled', 'RunHalted'];

/** A command's place in its run, as the command itself writes it down: `item call`, the call's number within the item. */
export const WORD = /^(begin|end) (\S+ \d+)$/;

export interface RunAccount {
  readonly findings: readonly Finding[];
  readonly finished: boolean;
  readonly inDoubt: number;
  readonly failedItems: number;
}

/** Compares the three accounts of one run. */
export function accountOf(run: RunFacts): RunAccount {
  const inDoubt = count(run, 'ToolCallInDoubt');
  const ended = run.events.find(({ type }) => ENDS.includes(type));
  const findings = [
    ...relayOf(run),
    ...callsOf(run),
    ...itemsOf(run),
    ...run.journal.flatMap((call) => executed(run, call)),
  ];
  return {
    findings: [...findings, ...endOf(run, ended)],
    finished: ended?.type === 'RunCompleted',
    inDoubt,
    failedItems: count(run, 'ItemFailed'),
  };
}

const count = ({ events }: RunFacts, type: string): number => events.filter((event) => event.type === type).length;
const doubled = ({ id }: RunFacts, what: string): Finding => ({ kind: 'doubled', run: id, what });
const lost = ({ id }: RunFacts, what: string): Finding => ({ kind: 'lost', run: id, what });

function endOf(run: RunFacts, ended: LoggedEvent | undefined): readonly Finding[] {
  if (!ended)
    return [{ kind: 'unfinished', run: run.id, what: `has no end; its last event is ${nameOf(run.events.at(-1))}` }];
  if (ended.type === 'RunCompleted') return [];
  return [{ kind: 'unfinished', run: run.id, what: `ended with ${ended.type}: ${String(ended.data['reason'] ?? '')}` }];
}

const nameOf = (event: LoggedEvent | undefined): string => (event ? `${event.type} (${event.revision})` : 'none');

/** One end and nothing after it, each segment begun once and only after the one before it was over, no gap in the stream. */
function relayOf(run: RunFacts): readonly Finding[] {
  const findings: Finding[] = [];
  const begun = new Set<unknown>();
  let working: unknown;
  let ended = false;
  for (const [place, { revision, type, data }] of run.events.entries()) {
    if (revision !== place) return [...findings, lost(run, `revision ${place} is missing`)];
    if (ended) findings.push(doubled(run, `${type} (${revision}) follows the end`));
    if (ENDS.includes(type)) ended = true;
    if (type === 'SegmentStarted') {
      if (begun.has(data['segment'])) findings.push(doubled(run, `segment ${String(data['segment'])} was begun twice`));
      if (working !== undefined) findings.push(doubled(run, `two segments work at revision ${revision}`));
      begun.add((working = data['segment']));
    }
    if (type === 'SegmentEnded' || type === 'RunPresumedDead') working = undefined;
  }
  return findings;
}

interface Command {
  readonly callId: string;
  /** What it notes; the same in two calls when an item was worked on twice. */
  readonly word: string;
}

/** The commands that the model has asked for, in order. */
function commandsOf({ events }: RunFacts): readonly Command[] {
  return events.flatMap(({ type, data }) => {
    if (type !== 'ModelTurnCompleted') return [];
    const uses = (data['content'] as readonly Record<string, unknown>[]).filter(
      (block) => block['type'] === 'tool_use',
    );
    return uses.flatMap((use, place) => {
      const { command = '' } = use['input'] as { readonly command?: string };
      const word = /"begin (\S+ \d+)"/.exec(command)?.[1];
      return use['name'] === 'bash' && word !== undefined ? [{ callId: `${String(data['turn'])}-${place}`, word }] : [];
    });
  });
}

/** Each command noted its beginning and its end as often as the log says that it was carried out. */
function callsOf(run: RunFacts): readonly Finding[] {
  const doubts = new Set(run.events.filter(({ type }) => type === 'ToolCallInDoubt').map(({ data }) => data['callId']));
  const findings = [...twice(run, 'ToolCallStarted'), ...twice(run, 'ToolCallCompleted')];
  const known = new Set<string>();
  for (const { callId, word } of commandsOf(run)) {
    if (known.has(word)) findings.push(doubled(run, `the command ${word} was asked for again by call ${callId}`));
    known.add(word);
    const end = run.events.find(({ type, data }) => type === 'ToolCallCompleted' && data['callId'] === callId);
    const began = run.ledger.filter((line) => line === `begin ${word}`).length;
    const ended = run.ledger.filter((line) => line === `end ${word}`).length;
    if (began > 1 || ended > 1)
      findings.push(doubled(run, `call ${callId} (${word}) noted itself ${began} and ${ended} times`));
    if (end?.data['outcome'] === 'ok' && ended === 0)
      findings.push(lost(run, `call ${callId} (${word}) is done and has left no note`));
    const told = run.events.some(({ type, data }) => type === 'ToolCallStarted' && data['callId'] === callId);
    if (began > 0 && !told) findings.push(lost(run, `call ${callId} (${word}) was carried out and is not in the log`));
    if (told && !end && !doubts.has(callId) && run.events.some(({ type }) => ENDS.includes(type)))
      findings.push(lost(run, `call ${callId} (${word}) was started and has neither a result nor a doubt`));
  }
  for (const line of run.ledger) {
    const word = WORD.exec(line)?.[2];
    if (word === undefined || !known.has(word))
      findings.push(lost(run, `the note "${line}" belongs to no call in the log`));
  }
  return findings;
}

/** The same call or item recorded twice; a call that was in doubt may be started again under another attempt. */
function twice(run: RunFacts, type: string): readonly Finding[] {
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const event of run.events.filter((one) => one.type === type)) {
    const attempt = type === 'ToolCallStarted' ? `, attempt ${String(event.data['attempt'] ?? 1)},` : '';
    const call = `${String(event.data['callId'])}${attempt}`;
    if (seen.has(call)) findings.push(doubled(run, `${type} of ${call} at revision ${event.revision} is the second`));
    seen.add(call);
  }
  return findings;
}

/** Each item settled once, and completed only when its command was. */
function itemsOf(run: RunFacts): readonly Finding[] {
  const settled = run.events.filter(({ type }) => type === 'ItemCompleted' || type === 'ItemFailed');
  const findings: Finding[] = [];
  const commands = commandsOf(run);
  const complete = run.events.some(({ type }) => type === 'RunCompleted');
  for (const item of run.items) {
    const ends = settled.filter(({ data }) => data['itemId'] === item);
    if (ends.length > 1) findings.push(doubled(run, `item ${item} was settled ${ends.length} times`));
    if (ends.length === 0 && complete)
      findings.push(lost(run, `item ${item} is not settled although the run is complete`));
    const calls = commands.filter(({ word }) => word.startsWith(`${item} `)).map(({ callId }) => callId);
    const bad = calls.filter((callId) => !isOk(run, callId));
    const [end] = ends;
    if (end?.type === 'ItemCompleted' && calls.length === 0)
      findings.push(lost(run, `item ${item} is done and no command was run for it`));
    if (end?.type === 'ItemCompleted' && bad.some((callId) => !isDoubt(run, callId)))
      findings.push(lost(run, `item ${item} is done although a command of it failed`));
    if (end?.type === 'ItemFailed' && bad.length === 0)
      findings.push(lost(run, `item ${item} failed although its commands did not`));
  }
  return findings;
}

const isOk = (run: RunFacts, callId: string): boolean =>
  run.events.some(
    ({ type, data }) => type === 'ToolCallCompleted' && data['callId'] === callId && data['outcome'] === 'ok',
  );

const isDoubt = (run: RunFacts, callId: string): boolean =>
  run.events.some(({ type, data }) => type === 'ToolCallInDoubt' && data['callId'] === callId);

const executed = (run: RunFacts, { callId, attempt, executions }: JournalledCall): readonly Finding[] =>
  executions > 1
    ? [doubled(run, `the journal has ${executions} executions of call ${callId}, attempt ${attempt}`)]
    : [];
