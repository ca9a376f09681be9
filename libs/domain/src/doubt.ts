import type { Digest, Moment, ResultBlock } from '#contracts';
import { answerDueBy } from './caps.js';
import { effectPolicyOf } from './offered-tools.js';
import type { OpenCall, Run } from './run.js';
import type { SegmentEvent } from './segment.js';

interface Place {
  readonly segment: number;
  readonly at: Moment;
}

/** What a probe has found out about a call in doubt; `unknown` where there is no probe. */
export type Found =
  | { readonly found: 'done'; readonly content: readonly ResultBlock[] }
  | { readonly found: 'not-done' }
  | { readonly found: 'unknown' };

/**
 * What is recorded of a call of which nobody can know whether it took effect (law 5). The world is believed first; what
 * may be repeated is repeated with the same key, within `caps.toolRetries`; of the rest a person decides, or the model
 * is told the truth. Never a blind retry.
 */
export function doubtEvents(
  run: Run,
  call: OpenCall,
  doubt: { readonly reason: string; readonly probed: Found; readonly inputDigest: Digest },
  place: Place,
): readonly SegmentEvent[] {
  const { callId } = call;
  const inDoubt: SegmentEvent = {
    type: 'ToolCallInDoubt',
    data: { ...place, callId, reason: doubt.reason.slice(0, 2_000) },
  };
  if (doubt.probed.found === 'done') {
    const content = [...doubt.probed.content];
    return [inDoubt, { type: 'ToolCallSettled', data: { ...place, callId, by: 'probe', content } }];
  }
  const { effect, inDoubt: asked } = effectPolicyOf(run, call.tool);
  const mayRepeat = doubt.probed.found === 'not-done' || effect !== 'once';
  if (mayRepeat && (call.attempts ?? 1) <= run.caps.toolRetries) {
    return [inDoubt, startedAgain(call, place, doubt.inputDigest)];
  }
  if (effect === 'once' && asked === 'person') {
    const expiresAt = answerDueBy(run, place.at);
    const data = { ...place, callId, inputDigest: doubt.inputDigest, expiresAt, about: 'doubt' as const };
    return [inDoubt, { type: 'ApprovalRequested', data }];
  }
  return [inDoubt, settledByModel(call, place, doubt.reason)];
}

/** What is recorded of a call that was to be stopped, and nobody knows how it ended: it is not repeated, whatever it is. */
export function abandonedEvents(call: OpenCall, reason: string, { segment, at }: Place): readonly SegmentEvent[] {
  const data = { segment, at, callId: call.callId, reason: reason.slice(0, 2_000) };
  return [{ type: 'ToolCallInDoubt', data }, settledByModel(call, { segment, at }, reason)];
}

/** The same call once more, under the same key. */
export function startedAgain(call: OpenCall, { segment, at }: Place, inputDigest: Digest): SegmentEvent {
  const attempt = (call.attempts ?? 1) + 1;
  return { type: 'ToolCallStarted', data: { at, segment, callId: call.callId, tool: call.tool, inputDigest, attempt } };
}

/** What a person has said of the call in doubt, or that nobody has. */
export function settledByPerson(call: OpenCall, place: Place): SegmentEvent {
  const { decision, by = 'A person', words = '' } = call.question ?? {};
  if (decision === undefined) return settledByModel(call, place, 'nobody has said what became of it.');
  const known = decision === 'done' ? 'it took effect' : 'it did not take effect';
  const content = [
    { type: 'text' as const, text: `Its outcome was unknown; ${by} has found that ${known}. ${words}`.trim() },
  ];
  return { type: 'ToolCallSettled', data: { ...place, callId: call.callId, by: 'person', content } };
}

function settledByModel(call: OpenCall, { segment, at }: Place, reason: string): SegmentEvent {
  const content = [{ type: 'text' as const, text: doubtNotice(call, reason) }];
  return { type: 'ToolCallSettled', data: { segment, at, callId: call.callId, by: 'model', content } };
}

/** What the model is told of a call whose effect nobody can know (law 5): the truth, never a guess. */
function doubtNotice(call: OpenCall, reason: string): string {
  return (
    `This call was started${call.startedAt ? ` at ${call.startedAt}` : ''} and its outcome is unknown: ${reason} ` +
    'It may or may not have taken effect. Check before you repeat it.'
  );
}
