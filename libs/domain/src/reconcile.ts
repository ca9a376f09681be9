import { type CapName, millisOf, momentOf, type RunEventOf } from '#contracts';
import {
  answerDueBy,
  capForbiddingSegments,
  capForbiddingSteps,
  capReason,
  isOutOfMinutes,
  minutesEndAt,
} from './caps.js';
import { tally } from './notices.js';
import { carrierOf } from './offered-tools.js';
import { callsDue, openItems, pendingQuestions, type Relay, type Run } from './run.js';
import { fold } from './turn.js';

type CoordinatorEvent = RunEventOf['coordinator'];

/** What should be recorded now, and when (milliseconds since 1970) to ask again if nothing happens before. */
export interface Reconciliation {
  readonly events: readonly CoordinatorEvent[];
  readonly lookAgainAt?: number;
}

const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 60_000;

/** How long to wait before the next segment when `restarts` segments in a row have died without a step. */
export function restartBackoffMs(restarts: number): number {
  return restarts === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (restarts - 1), LONGEST_BACKOFF_MS);
}

/**
 * What should happen next to a run: the coordinator's one decision. Asking twice is harmless: once its events are
 * recorded, the state no longer asks for them.
 */
export function reconcile(run: Run, now: number): Reconciliation {
  const at = momentOf(now);
  const { relay } = run;
  switch (relay.phase) {
    case 'working':
    case 'ended':
      return { events: [] };
    case 'landed':
      return landed(run, relay, now);
    case 'scheduled':
      return run.cancel ? { events: [cancelled(run, at)] } : queued(run, now);
    case 'resting':
      return run.cancel ? { events: [cancelled(run, at)] } : resting(run, relay, now);
    case 'between':
      return run.cancel ? { events: [cancelled(run, at)] } : next(run, relay, now);
  }
}

/** A message that came as the segment finished is still answered; nothing that was accepted is left unread. */
function landed(run: Run, relay: Extract<Relay, { phase: 'landed' }>, now: number): Reconciliation {
  if (relay.how !== 'finished' || workIsDone(run)) return { events: [end(run, relay, momentOf(now), now)] };
  if (run.cancel) return { events: [cancelled(run, momentOf(now))] };
  return next(run, { phase: 'between', next: relay.segment + 1, because: 'answered', restarts: 0 }, now);
}

/** A segment that nobody takes up uses up the run's time all the same. */
function queued(run: Run, now: number): Reconciliation {
  const over = isOutOfMinutes(run, now) ? capForbiddingSteps(run, now) : undefined;
  return over
    ? { events: [halted(run, over.cap, capReason(over), momentOf(now))] }
    : { events: [], lookAgainAt: minutesEndAt(run, now) };
}

function resting(run: Run, relay: Resting, now: number): Reconciliation {
  const expired = expiries(run, now);
  const after = fold(run, expired);
  if (!isAskedFor(after, relay))
    return waitedEnough(after, relay, now) ?? { events: expired, ...nextExpiry(after, now) };
  const because = relay.why === 'paused' ? 'resumed' : 'answered';
  const { events, ...later } = next(after, { phase: 'between', next: relay.segment + 1, because, restarts: 0 }, now);
  return { events: [...expired, ...events], ...later };
}

type Resting = Extract<Relay, { phase: 'resting' }>;

/** Whether something asks for the next segment: people have said what was waited for, or a message can be read now. */
function isAskedFor(run: Run, { why }: Resting): boolean {
  if (why === 'paused') return !run.pause;
  if (run.openCalls.length > 0) return callsDue(run).length > 0 || run.interrupt !== null;
  return run.unread.length > 0;
}

const expiries = (run: Run, now: number): readonly CoordinatorEvent[] =>
  pendingQuestions(run)
    .filter(({ question }) => millisOf(question.expiresAt) <= now)
    .map(({ callId }) => ({ type: 'ApprovalExpired', data: { at: momentOf(now), callId } }));

/** A run that is open for messages is completed when none has come for as long as a question may wait. */
function waitedEnough(run: Run, relay: Resting, now: number): Reconciliation | undefined {
  if (relay.why !== 'waiting' || run.openCalls.length > 0) return undefined;
  const until = millisOf(answerDueBy(run, run.since));
  return now < until ? { events: [], lookAgainAt: until } : { events: [completed(run, momentOf(now))] };
}

function nextExpiry(run: Run, now: number): { readonly lookAgainAt?: number } {
  const at = Math.min(...pendingQuestions(run).map(({ question }) => millisOf(question.expiresAt)));
  return Number.isFinite(at) ? { lookAgainAt: Math.max(at, now) } : {};
}

function next(run: Run, relay: Extract<Relay, { phase: 'between' }>, now: number): Reconciliation {
  const at = momentOf(now);
  const cap = capForbiddingSegments(run, now);
  if (cap) return { events: [halted(run, cap.cap, capReason(cap), at)] };
  if (run.pause) return { events: [], lookAgainAt: minutesEndAt(run, now) };
  const since = millisOf(run.since);
  const due = since + restartBackoffMs(relay.restarts);
  // A clock that was set back to before `since` must not keep the run waiting until it has caught up.
  if (now >= since && now < due) return { events: [], lookAgainAt: due };
  const scheduled = { at, segment: relay.next, because: relay.because, restartsWithoutProgress: relay.restarts };
  return { events: [{ type: 'SegmentScheduled', data: scheduled }] };
}

function end(run: Run, relay: Extract<Relay, { phase: 'landed' }>, at: string, now: number): CoordinatorEvent {
  switch (relay.how) {
    case 'cancelled':
      return cancelled(run, at);
    case 'finished':
      return completed(run, at);
    case 'failed':
      return failed(run, relay.detail, at, now);
  }
}

const completed = (run: Run, at: string): CoordinatorEvent => ({
  type: 'RunCompleted',
  data: { at, items: { total: run.items.length, ...run.settled }, result: run.lastTurn?.text ?? '' },
});

const PASSING: readonly string[] = ['overloaded', 'rate-limited', 'timed-out', 'cut-off', 'server-error'];

/** A model that stayed unavailable has used up a cap; a person may let the run go on. Anything else is a failure. */
function failed(run: Run, detail: string, at: string, now: number): CoordinatorEvent {
  const trouble = run.modelTrouble;
  const cap = capForbiddingSegments(run, now);
  if (trouble && trouble.retryAt === undefined && PASSING.includes(trouble.kind)) {
    const reason = `The model stayed unavailable for ${trouble.attempt} attempts (caps.modelRetries): ${trouble.message}`;
    return halted(run, 'modelRetries', reason.slice(0, 1_800), at);
  }
  if (cap) return halted(run, cap.cap, capReason(cap), at);
  return { type: 'RunFailed', data: { at, reason: detail || 'The segment failed without a reason.' } };
}

/** Names the cap, and what is done and what is not. */
const halted = (run: Run, cap: CapName, why: string, at: string): CoordinatorEvent => ({
  type: 'RunHalted',
  data: { at, cap, reason: run.items.length > 0 ? `${why} ${tally(run)}` : why },
});

function cancelled(run: Run, at: string): CoordinatorEvent {
  const inDoubt = run.openCalls.filter(
    ({ state, tool }) => state !== 'asked' && carrierOf(tool) === 'workspace',
  ).length;
  return {
    type: 'RunCancelled',
    data: { at, by: run.cancel?.by ?? 'unknown', effects: { executed: run.executed, inDoubt } },
  };
}

/** Whether all the work of a run is settled. */
const workIsDone = (run: Run): boolean => openItems(run) === 0 && run.unread.length === 0;
