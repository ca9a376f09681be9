import { effectPolicyOf, effectsOf, evolve, hasProbe, type Run } from '#domain';
import { verification } from '../runs/verification.js';
import { callFindings } from './call-findings.js';
import type { Evidence } from './evidence.js';
import { type Expected, endsOf, itemsEnded, resultOf } from './expected.js';
import { changed, doubled, type Finding, lost } from './finding.js';

/** A call that could not be told to have been done or not, and was not mended without the model or a person. */
export interface UnsafeCall {
  readonly tool: string;
  readonly callId: string;
  readonly why: string;
  /** Who was told or asked. */
  readonly settledBy: 'model' | 'person';
  readonly wayOut: string;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly unsafe: readonly UnsafeCall[];
}

/** Compares what a disturbed run has left with what is expected of it. */
export function judge(expected: Expected, evidence: Evidence): Verdict {
  const unsafe = unsafeCalls(evidence);
  // Who was told that a call may have failed goes on in another way, and rightly so.
  const misled = unsafe.length > 0;
  const findings = [
    ...endFindings(expected, evidence, misled),
    ...itemFindings(expected, evidence, misled),
    ...callFindings(expected, evidence, misled),
    ...writerFindings(evidence),
    ...requestFindings(evidence),
    ...(misled ? [] : fileFindings(expected, evidence)),
  ];
  return { findings, unsafe };
}

function endFindings(expected: Expected, { events }: Evidence, misled: boolean): readonly Finding[] {
  const ends = endsOf(events);
  const [end] = ends;
  if (end === undefined) return [lost(`The run has not ended; its last event is ${events.at(-1)?.event.type}.`)];
  if (ends.length > 1) return [doubled(`The run has ended ${ends.length} times.`)];
  if (events.at(-1)?.event !== end) return [doubled(`After ${end.type} came ${events.at(-1)?.event.type}.`)];
  if (misled) return [];
  if (end.type !== expected.end) {
    const why = 'reason' in end.data ? `: ${end.data.reason}` : '.';
    return [lost(`The run has ended with ${end.type} instead of ${expected.end}${why}`)];
  }
  const isOther = expected.result !== undefined && resultOf(end) !== expected.result;
  return isOther ? [changed(`The result is ${JSON.stringify(resultOf(end))}.`)] : [];
}

function itemFindings(expected: Expected, { events }: Evidence, misled: boolean): readonly Finding[] {
  const ended = itemsEnded(events);
  return [...expected.items].flatMap(([id, { state, said }]) => {
    const ends = ended.filter(([item]) => item === id).map(([, end]) => end);
    const [end] = ends;
    if (end === undefined) return [lost(`The item ${id} is not settled.`)];
    if (ends.length > 1) return [doubled(`The item ${id} is settled ${ends.length} times.`)];
    if (misled) return [];
    if (end.state !== state) return [changed(`The item ${id} is ${end.state} instead of ${state}.`)];
    return said === undefined || said === end.said ? [] : [changed(`The item ${id} says ${JSON.stringify(end.said)}.`)];
  });
}

/** Laws 3 and 4: whoever is over writes nothing any more. */
function writerFindings({ events }: Evidence): readonly Finding[] {
  let at = 0;
  return events.flatMap(({ event, metadata, revision }) => {
    if (metadata.actor.kind !== 'segment' || !('segment' in event.data)) return [];
    const segment = event.data.segment ?? 0;
    if (event.type === 'SegmentStarted') at = segment;
    return segment === at ? [] : [doubled(`Segment ${segment} has written event ${revision} in the time of ${at}.`)];
  });
}

const requestFindings = ({ events }: Evidence): readonly Finding[] =>
  verification(events).differences.map(({ turn }) => changed(`The request of turn ${turn} is not what the log says.`));

function fileFindings({ files, variable }: Expected, evidence: Evidence): readonly Finding[] {
  const more = [...evidence.files.keys()].filter((path) => !files.has(path) && !variable.has(path));
  const missing = [...files].flatMap(([path, { digest, lines }]) => {
    const found = evidence.files.get(path);
    if (found === undefined) return [lost(`The file ${path} is missing from the workspace.`)];
    if (found.digest === digest) return [];
    if (found.lines === lines) return [changed(`The file ${path} has another content.`)];
    const sentence = `The file ${path} has ${found.lines} lines instead of ${lines}.`;
    return [found.lines > lines ? doubled(sentence) : lost(sentence)];
  });
  return [...missing, ...more.map((path) => changed(`There is a file ${path} that is not expected.`))];
}

function unsafeCalls({ events }: Evidence): readonly UnsafeCall[] {
  const run = events.reduce<Run | undefined>(evolve, undefined);
  if (run === undefined) return [];
  const asked = new Set<string>(
    events.flatMap(({ event }) =>
      event.type === 'ApprovalRequested' && event.data.about === 'doubt' ? [event.data.callId] : [],
    ),
  );
  return effectsOf(events).flatMap(({ callId, tool, doubt }) => {
    const settledBy = asked.has(callId) ? 'person' : doubt?.settledBy;
    if (doubt === undefined || settledBy === undefined || settledBy === 'probe') return [];
    return [{ tool, callId, why: doubt.reason, settledBy, wayOut: wayOutOf(run, tool) }];
  });
}

/** What the agent file can say so that Baton can mend a doubt about this tool by itself. */
function wayOutOf(run: Run, tool: string): string {
  const { effect } = effectPolicyOf(run, tool);
  if (effect !== 'once') return `it may be repeated, but not more often than caps.toolRetries allows: raise that cap`;
  const rule = `effects: { ${tool}: { effect: idempotent } }`;
  if (!run.agent.spec.http.some(({ name }) => name === tool)) {
    return `if a second execution does no harm, say so in the agent file: ${rule}`;
  }
  const probe = hasProbe(run, tool)
    ? 'see why its probe does not answer'
    : 'give it a probe that tells whether it was done';
  return `${probe}, or, if the other side takes the same Idempotency-Key once, declare ${rule}`;
}
