import {
  type CallId,
  type ModelBlock,
  millisOf,
  type RunEventOf,
  type RunnerRef,
  type SegmentEndReason,
  type StopReason,
  type Usage,
} from '#contracts';
import { capForbiddingSteps, capReason, nearedCaps } from './caps.js';
import type { Context } from './context.js';
import { workIsDone } from './reconcile.js';
import { currentItem, type OpenCall, type Run } from './run.js';

export type SegmentEvent = RunEventOf['segment-runner'];

/** The first events of a segment, or undefined when the run is not waiting for this segment (any more). */
export function beginSegment(
  run: Run,
  { segment, runner, at, deadline }: { segment: number; runner: RunnerRef; at: string; deadline: string },
): readonly SegmentEvent[] | undefined {
  if (run.relay.phase !== 'scheduled' || run.relay.segment !== segment || run.cancel) return undefined;
  return [{ type: 'SegmentStarted', data: { at, segment, runner, deadline } }, ...startNextItem(run, segment, at)];
}

/** Whether a segment may still write: it may not once the run has moved on or ended (law 3). */
export const isFenced = (run: Run, segment: number): boolean =>
  run.relay.phase !== 'working' || run.relay.segment !== segment;

/** Announces the next open item when none is in work. */
export function startNextItem(run: Run, segment: number, at: string): readonly SegmentEvent[] {
  if (currentItem(run)) return [];
  const next = run.items.find((item) => item.state === 'open');
  return next ? [{ type: 'ItemStarted', data: { at, segment, itemId: next.id } }] : [];
}

/** What a segment does next. */
export type Act =
  | { readonly kind: 'end'; readonly reason: SegmentEndReason; readonly detail?: string }
  /** Start calls that were only asked for, collect or clear up those that an earlier segment has started. */
  | { readonly kind: 'calls'; readonly calls: readonly OpenCall[] }
  | { readonly kind: 'back-off'; readonly until: number }
  | { readonly kind: 'compact' }
  | { readonly kind: 'turn'; readonly announce: readonly SegmentEvent[] };

export interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds until the segment's deadline, by a clock that never jumps. */
  readonly remainingMs: number;
  readonly longestStepMs: number;
  readonly draining: boolean;
}

const COMPACT_ABOVE = 0.8;

/** The next act of the segment's loop: a pure question, asked anew after every recorded step. */
export function nextAct(run: Run, context: Context, segment: number, moment: Moment): Act {
  const { now, at } = { now: moment.now, at: new_moment(moment.now) };
  return (
    ending(run, moment) ??
    calls(run) ??
    landing(run, now) ??
    trouble(run, now) ??
    (context.tokens > COMPACT_ABOVE * run.agent.spec.model.contextTokens && context.messages.length > 2
      ? { kind: 'compact' }
      : { kind: 'turn', announce: nearedCaps(run, segment, now, at) })
  );
}
