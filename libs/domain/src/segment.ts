import { type Moment, millisOf, type RunEventOf, type SegmentEndReason } from '#contracts';
import { capForbiddingSegments, capForbiddingSteps, capReason, isOutOfMinutes, nearedCaps } from './caps.js';
import type { Context } from './context.js';
import { carrierOf } from './offered-tools.js';
import { callsDue, currentItem, nextOpenItem, type OpenCall, openItems, type Run } from './run.js';

export type SegmentEvent = RunEventOf['segment-runner'];

/** The first events of a segment, or undefined when the run does not wait for this segment (any more). */
export function beginSegment(
  run: Run,
  start: Extract<SegmentEvent, { type: 'SegmentStarted' }>['data'],
): readonly SegmentEvent[] | undefined {
  const { relay } = run;
  if (relay.phase !== 'scheduled' || relay.segment !== start.segment || run.cancel) return undefined;
  const { segment, at } = start;
  return [{ type: 'SegmentStarted', data: start }, ...startNextItem(run, segment, at)];
}

/** Whether a segment may no longer write: the run has moved on to another segment or to an end (law 3). */
export const isFenced = (run: Run, segment: number): boolean =>
  run.relay.phase !== 'working' || run.relay.segment !== segment;

/** Announces the next open item when none is in work. */
export function startNextItem(run: Run, segment: number, at: Moment): readonly SegmentEvent[] {
  if (currentItem(run)) return [];
  const next = nextOpenItem(run);
  return next ? [{ type: 'ItemStarted', data: { at, segment, itemId: next.id } }] : [];
}

/** What a segment does next. */
export type Act =
  | { readonly kind: 'end'; readonly reason: SegmentEndReason; readonly detail?: string }
  /** Start the calls that were only asked for; collect or clear up those that an earlier segment has started. */
  | { readonly kind: 'calls'; readonly calls: readonly OpenCall[] }
  /** Stop the calls that run in the workspace. `interrupt`: the others are given up too, so that a message can be read. */
  | { readonly kind: 'stop-calls'; readonly because: 'interrupt' | 'out-of-time'; readonly calls: readonly OpenCall[] }
  /** Ask these MCP servers for their tools. */
  | { readonly kind: 'discover'; readonly servers: readonly string[] }
  /** Wait until `until` (milliseconds since 1970): the model asked for patience. */
  | { readonly kind: 'back-off'; readonly until: number }
  /** Ask the model for a summary, or for a turn; both are paid, and `announce` is recorded before. */
  | { readonly kind: 'compact' | 'turn'; readonly announce: readonly SegmentEvent[] };

/** What the pure question `nextAct` must be told of the world. */
export interface Circumstances {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds until the segment's deadline, by a clock that never jumps. */
  readonly remainingMs: number;
  /** The longest recent step of this segment, in milliseconds. */
  readonly longestStepMs: number;
  /** The process was asked to stop. */
  readonly draining: boolean;
  /** The MCP servers that this segment has asked for their tools. */
  readonly asked: ReadonlySet<string>;
}

/** The context is compacted when this part of the model's window is used. */
const COMPACT_ABOVE = 0.8;

/** The next act of the segment's loop, asked anew after everything that is recorded. */
export function nextAct(run: Run, context: Context, segment: number, world: Circumstances): Act {
  return (
    wished(run) ??
    outOfTime(run, world) ??
    withOpenCalls(run, world.now) ??
    outOfSteps(run, world) ??
    landed(run, world.now) ??
    troubled(run, world.now) ??
    undiscovered(run, world) ?? {
      kind: isFull(run, context) ? 'compact' : 'turn',
      announce: nearedCaps(run, context, { segment, now: world.now }),
    }
  );
}

const isFull = ({ agent }: Run, { tokens, messages }: Context): boolean =>
  tokens > COMPACT_ABOVE * agent.spec.model.contextTokens && messages.length > 1;

function wished(run: Run): Act | undefined {
  if (run.cancel) return { kind: 'end', reason: 'cancelled' };
  return run.pause ? { kind: 'end', reason: 'paused' } : undefined;
}

/** What runs in the workspace goes on without the segment, unless a cap forbids the segment that would collect it. */
function outOfTime(run: Run, { now, remainingMs, draining }: Circumstances): Act | undefined {
  if (!draining && remainingMs >= run.caps.reserveSeconds * 1_000) return undefined;
  const running = callsRunning(run);
  if (running.length > 0 && capForbiddingSegments(run, now)) {
    return { kind: 'stop-calls', because: 'out-of-time', calls: running };
  }
  return { kind: 'end', reason: draining ? 'drain' : 'handoff' };
}

const callsRunning = (run: Run): readonly OpenCall[] =>
  run.openCalls.filter(({ state, tool }) => state === 'started' && carrierOf(tool) === 'workspace');

/** While calls of the last turn are open the model cannot be asked: they are carried out, given up, or waited for by nobody. */
function withOpenCalls(run: Run, now: number): Act | undefined {
  if (run.openCalls.length === 0) return undefined;
  const running = callsRunning(run);
  if (run.interrupt !== null) return { kind: 'stop-calls', because: 'interrupt', calls: running };
  if (isOutOfMinutes(run, now)) {
    return running.length > 0 ? { kind: 'stop-calls', because: 'out-of-time', calls: running } : landed(run, now);
  }
  const due = callsDue(run);
  return due.length > 0 ? { kind: 'calls', calls: due } : { kind: 'end', reason: 'waiting' };
}

/** A step that was longer than a whole segment's working time must not keep every later segment from starting one. */
function outOfSteps(run: Run, { remainingMs, longestStepMs }: Circumstances): Act | undefined {
  const reserveMs = run.caps.reserveSeconds * 1_000;
  const needed = Math.min(longestStepMs, (run.caps.segmentSeconds * 1_000 - reserveMs) / 2);
  return remainingMs < reserveMs + needed ? { kind: 'end', reason: 'handoff' } : undefined;
}

/** Each segment asks before its first turn: what was true of a server in an earlier one may not be any more. */
function undiscovered(run: Run, { asked }: Circumstances): Act | undefined {
  const servers = Object.keys(run.agent.spec.mcp).filter((name) => !asked.has(name));
  return servers.length > 0 ? { kind: 'discover', servers } : undefined;
}

function landed(run: Run, now: number): Act | undefined {
  const { lastTurn } = run;
  if (lastTurn?.stopReason === 'refusal') {
    return { kind: 'end', reason: 'failed', detail: `The model refused to go on. ${lastTurn.text}`.slice(0, 2_000) };
  }
  if (
    lastTurn &&
    run.idleTurns > 0 &&
    lastTurn.stopReason !== 'max_tokens' &&
    openItems(run) === 0 &&
    run.unread.length === 0
  ) {
    return { kind: 'end', reason: run.stayOpen ? 'waiting' : 'finished' };
  }
  const cap = capForbiddingSteps(run, now);
  return cap ? { kind: 'end', reason: 'failed', detail: capReason(cap) } : undefined;
}

function troubled(run: Run, now: number): Act | undefined {
  const trouble = run.modelTrouble;
  if (!trouble) return undefined;
  if (trouble.retryAt === undefined) {
    return {
      kind: 'end',
      reason: 'failed',
      detail: `The model cannot be used (${trouble.kind}): ${trouble.message}`.slice(0, 2_000),
    };
  }
  const until = millisOf(trouble.retryAt);
  // A clock that was set back to before the failure must not keep the segment waiting until it has caught up.
  return now >= millisOf(trouble.failedAt) && now < until ? { kind: 'back-off', until } : undefined;
}
