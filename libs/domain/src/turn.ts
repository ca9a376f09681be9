import type { Digest, Moment, Recorded, RunEvent } from '#contracts';
import { carrierOf, refusalOf, rejected, settleItem } from './calls.js';
import { evolve } from './evolve.js';
import type { OpenCall, Run } from './run.js';
import type { SegmentEvent } from './segment.js';

/** Names a tool's input by its content; passed in, since the domain knows no hash function. */
export type DigestOf = (input: unknown) => Digest;

/**
 * What is recorded with a turn about the calls that it asks for, in the turn's own append: a wrong input is answered,
 * a call to the workspace is written ahead of its effect (law 2), and an item is settled on the spot, since the log is
 * all that settling changes.
 */
export function withCalls(
  run: Run,
  turn: SegmentEvent,
  at: { readonly segment: number; readonly at: Moment },
  digestOf: DigestOf,
): readonly SegmentEvent[] {
  const answered = fold(run, [turn]);
  return [turn, ...openingEvents(answered, at, digestOf)];
}

/** The events that begin every call that was only asked for. */
export function openingEvents(
  run: Run,
  { segment, at }: { readonly segment: number; readonly at: Moment },
  digestOf: DigestOf,
): readonly SegmentEvent[] {
  const events: SegmentEvent[] = [];
  for (const call of run.openCalls.filter(({ state }) => state === 'asked')) {
    events.push(...begun(fold(run, events), call, { segment, at }, digestOf));
  }
  return events;
}

function begun(
  run: Run,
  call: OpenCall,
  { segment, at }: { readonly segment: number; readonly at: Moment },
  digestOf: DigestOf,
): readonly SegmentEvent[] {
  const refusal = refusalOf(run, call);
  if (refusal !== undefined) return [rejected(call, segment, at, refusal)];
  const inputDigest = digestOf(call.input);
  const started: SegmentEvent = {
    type: 'ToolCallStarted',
    data: { at, segment, callId: call.callId, tool: call.tool, inputDigest },
  };
  return carrierOf(call.tool) === 'log' ? [started, ...settleItem(run, call, segment, at)] : [started];
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
