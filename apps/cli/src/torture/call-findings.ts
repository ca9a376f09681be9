import type { RunEvent } from '#contracts';
import { carrierOf } from '#domain';
import type { Evidence } from './evidence.js';
import { callsStarted, type Expected } from './expected.js';
import { doubled, type Finding, lost } from './finding.js';

/** Law 5: no effect twice, none lost, by the log and the workspace's journal. */
export function callFindings(expected: Expected, evidence: Evidence, misled: boolean): readonly Finding[] {
  return [
    ...startFindings(evidence),
    ...executionFindings(evidence),
    ...agreementFindings(evidence),
    ...(misled || expected.calls === undefined ? [] : choiceFindings(expected.calls, evidence)),
  ];
}

/** A call is started again only after a doubt. */
function startFindings({ events }: Evidence): readonly Finding[] {
  const begun = new Map<string, number>();
  const doubts = new Map<string, number>();
  const ended = new Map<string, number>();
  const count = (counts: Map<string, number>, id: string): number => {
    const next = (counts.get(id) ?? 0) + 1;
    counts.set(id, next);
    return next;
  };
  return events.flatMap(({ event }) => {
    if (event.type === 'ToolCallInDoubt') count(doubts, event.data.callId);
    if (event.type === 'ToolCallStarted') {
      const { callId } = event.data;
      const starts = count(begun, callId);
      return starts > 1 + (doubts.get(callId) ?? 0) ? [doubled(`The call ${callId} is started ${starts} times.`)] : [];
    }
    if (!endsCall(event)) return [];
    const { callId } = event.data;
    return count(ended, callId) > 1 ? [doubled(`The call ${callId} has two results.`)] : [];
  });
}

type CallEnd = Extract<RunEvent, { type: 'ToolCallCompleted' | 'ToolCallSettled' }>;

const endsCall = (event: RunEvent): event is CallEnd =>
  event.type === 'ToolCallCompleted' || event.type === 'ToolCallSettled';

const executionFindings = ({ journal }: Evidence): readonly Finding[] =>
  journal
    .filter(({ executions }) => executions > 1)
    .map(({ callId, tool, executions }) => doubled(`The call ${callId} (${tool}) was executed ${executions} times.`));

/** What the log says was done the workspace has done, and the other way round. */
function agreementFindings({ events, journal }: Evidence): readonly Finding[] {
  const executed = new Set<string>(journal.filter(({ executions }) => executions > 0).map(({ callId }) => callId));
  const tools = new Map<string, string>();
  const ended = new Set<string>();
  const said = new Set<string>();
  for (const { event } of events) {
    if (event.type === 'ToolCallStarted') tools.set(event.data.callId, event.data.tool);
    if (!endsCall(event)) continue;
    ended.add(event.data.callId);
    if (event.type === 'ToolCallCompleted' && event.data.outcome === 'ok') said.add(event.data.callId);
  }
  const isCarriedOut = (callId: string): boolean => carrierOf(tools.get(callId) ?? '') === 'workspace';
  return [
    ...[...said]
      .filter((callId) => tools.has(callId) && isCarriedOut(callId) && !executed.has(callId))
      .map((callId) => lost(`The log has a result of the call ${callId}, which was never carried out.`)),
    ...[...executed]
      .filter((callId) => !ended.has(callId))
      .map((callId) => lost(`The call ${callId} was carried out, and its end is not in the log.`)),
  ];
}

/** The same model with the same history makes the same calls. */
function choiceFindings(expected: ReadonlyMap<string, string>, { events }: Evidence): readonly Finding[] {
  const made = callsStarted(events);
  return [
    ...[...expected].flatMap(([callId, call]) =>
      made.get(callId) === call ? [] : [lost(`The call ${callId} (${nameOf(call)}) was not made as expected.`)],
    ),
    ...[...made].flatMap(([callId, call]) =>
      expected.has(callId) ? [] : [doubled(`The call ${callId} (${nameOf(call)}) was made on top.`)],
    ),
  ];
}

const nameOf = (call: string): string => call.split(' ', 1)[0] ?? '';
