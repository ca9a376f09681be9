import { type CallState, type Moment, millisOf } from '#contracts';
import { doubtNotice, type OpenCall, type SegmentEvent } from '#domain';

/** What is recorded of a call in this state; nothing while it runs. */
export function resultEvents(
  call: OpenCall,
  state: CallState,
  { segment, at }: { readonly segment: number; readonly at: Moment },
): readonly SegmentEvent[] {
  const { callId } = call;
  switch (state.state) {
    case 'absent':
    case 'running':
      return [];
    case 'finished': {
      const durationMs = Math.max(0, millisOf(state.endedAt) - millisOf(state.startedAt));
      const { outcome, content, whole } = state;
      const collected = call.segment !== undefined && call.segment !== segment;
      return [
        {
          type: 'ToolCallCompleted',
          data: {
            at,
            segment,
            callId,
            outcome,
            content,
            durationMs,
            ...(whole && { whole }),
            ...(collected && { collected }),
          },
        },
      ];
    }
    case 'unknown':
      return inDoubt(call, state.reason, { segment, at });
  }
}

/** Nobody can know what became of the call: recorded, and told to the model as it is. */
export function inDoubt(
  call: OpenCall,
  reason: string,
  { segment, at }: { readonly segment: number; readonly at: Moment },
): readonly SegmentEvent[] {
  const { callId } = call;
  const content = [{ type: 'text' as const, text: doubtNotice(call, reason) }];
  return [
    { type: 'ToolCallInDoubt', data: { at, segment, callId, reason: reason.slice(0, 2_000) } },
    { type: 'ToolCallSettled', data: { at, segment, callId, by: 'model', content } },
  ];
}
