import { type Moment, millisOf, momentOf, type RunEvent } from '#contracts';
import { pendingQuestions, type Run } from './run.js';

/** A segment at work in which nothing goes on for longer than this has stood still, milliseconds. */
const STILL_MS = 5_000;

/** When nothing went on in a segment at work: from the last event before to the beginning of what came next. */
export interface Standstill {
  readonly from: Moment;
  readonly to: Moment;
  readonly ms: number;
  readonly segment: number;
}

/**
 * What no process can tell of itself: the log, the bus, the workspace or the machine was away. It shows when a step that is recorded
 * had not yet begun when the event before it was, or when a segment hands off although nothing was under way.
 */
export function standstillBefore(before: Run, event: RunEvent): Standstill | undefined {
  const { relay, last } = before;
  // The first step of a segment waits for its workspace and its servers, too.
  if (relay.phase !== 'working' || !relay.progressed || pendingQuestions(before).length > 0) return undefined;
  const began = beganAt(before, event);
  const ms = began - millisOf(last.at);
  return ms < STILL_MS ? undefined : { from: last.at, to: momentOf(began), ms, segment: relay.segment };
}

/** When what this event records began, in milliseconds since 1970; long ago when the event does not tell. */
function beganAt({ openCalls }: Run, event: RunEvent): number {
  switch (event.type) {
    case 'ModelTurnCompleted':
      return millisOf(event.data.at) - event.data.durationMs;
    case 'ToolCallCompleted':
      return event.data.durationMs === 0 ? 0 : millisOf(event.data.at) - event.data.durationMs;
    case 'SegmentEnded':
      return event.data.reason === 'handoff' && openCalls.length === 0 ? millisOf(event.data.at) : 0;
    default:
      return 0;
  }
}
