import { type CallState, type Digest, type Moment, millisOf } from '#contracts';
import {
  abandonedEvents,
  doubtEvents,
  type Found,
  neverBegun,
  type OpenCall,
  type Run,
  type SegmentEvent,
  shownBlocks,
} from '#domain';

/** Where and of what a result is recorded. */
export interface ResultPlace {
  readonly run: Run;
  readonly call: OpenCall;
  readonly segment: number;
  readonly at: Moment;
  readonly digestOf: (input: unknown) => Digest;
}

/** What is recorded of a call in this state; nothing while it runs. `probed`: what the world says of one that is unknown. */
export function resultEvents(
  { run, call, segment, at, digestOf }: ResultPlace,
  state: CallState,
  probed: Found = { found: 'unknown' },
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
            content: shownBlocks(run, content),
            durationMs,
            ...(whole && { whole }),
            ...(collected && { collected }),
          },
        },
      ];
    }
    case 'unknown':
      return doubtEvents(
        run,
        call,
        { reason: state.reason, probed, inputDigest: digestOf(call.input) },
        { segment, at },
      );
  }
}

/** What is recorded of a call that was stopped: in any case it is open no more. `state`: a sentence where nobody can say how it ended. */
export function stoppedEvents(place: ResultPlace, state: CallState | string): readonly SegmentEvent[] {
  if (typeof state === 'string') return abandonedEvents(place.call, state, place);
  switch (state.state) {
    case 'finished':
      return resultEvents(place, state);
    case 'absent':
      return [neverBegun(place.call, place)];
    case 'running':
      return abandonedEvents(place.call, 'it did not stop in time.', place);
    case 'unknown':
      return abandonedEvents(place.call, state.reason, place);
  }
}
