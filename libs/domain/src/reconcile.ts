import { millisOf, momentOf, type RunEventOf } from '#contracts';
import { capForbiddingSegments, capReason } from './caps.js';
import { tally } from './notices.js';
import { currentItem, openItems, type Relay, type Run } from './run.js';

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

function resting(run: Run, relay: Relay, now: number): Reconciliation {
  if (relay.phase !== 'resting') return { events: [] };
  const due = relay.why === 'paused' ? !run.pause : run.unread.length > 0;
  if (!due) return { events: [] };
  const because = relay.why === 'paused' ? 'resumed' : 'answered';
  return next(run, { phase: 'between', next: relay.segment + 1, because, restarts: 0 }, now);
}

function next(run: Run, relay: Extract<Relay, { phase: 'between' }>, now: number): Reconciliation {
  const at = momentOf(now);
  const cap = capForbiddingSegments(run, now);
  if (cap) {
    const where = currentItem(run) ? ` ${tally(run)}` : '';
    return { events: [{ type: 'RunHalted', data: { at, cap: cap.cap, reason: `${capReason(cap)}${where}` } }] };
  }
  if (run.pause) return { events: [] };
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
    case 'finished': {
      const items = { total: run.items.length, ...run.settled };
      return { type: 'RunCompleted', data: { at, items, result: run.lastTurn?.text ?? '' } };
    }
    case 'failed':
      return failed(run, relay.detail, at, now);
  }
}

const PASSING: readonly string[] = ['overloaded', 'rate-limited', 'timed-out', 'cut-off', 'server-error'];

/** A model that stayed unavailable has used up a cap; a person may let the run go on. Anything else is a failure. */
function failed(run: Run, detail: string, at: string, now: number): CoordinatorEvent {
  const trouble = run.modelTrouble;
  const cap = capForbiddingSegments(run, now);
  if (trouble && trouble.retryAt === undefined && PASSING.includes(trouble.kind)) {
    const reason = `The model stayed unavailable for ${trouble.attempt} attempts (caps.modelRetries): ${trouble.message}`;
    return { type: 'RunHalted', data: { at, cap: 'modelRetries', reason: reason.slice(0, 2_000) } };
  }
  if (cap) return { type: 'RunHalted', data: { at, cap: cap.cap, reason: capReason(cap) } };
  return { type: 'RunFailed', data: { at, reason: detail || 'The segment failed without a reason.' } };
}

function cancelled(run: Run, at: string): CoordinatorEvent {
  const inDoubt = run.openCalls.filter((call) => call.state !== 'asked').length;
  return {
    type: 'RunCancelled',
    data: { at, by: run.cancel?.by ?? 'unknown', effects: { executed: run.executed, inDoubt } },
  };
}

/** Whether all the work of a run is settled. */
const workIsDone = (run: Run): boolean => openItems(run) === 0 && run.unread.length === 0;
