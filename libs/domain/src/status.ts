import type { RunStatusWord } from '#contracts';
import { capsUsed } from './caps.js';
import { count, tally } from './notices.js';
import { currentItem, pendingQuestions, type Relay, type Run } from './run.js';

/** The one word for what a run is doing: derived, never stored. */
export function statusOf(run: Run): RunStatusWord {
  const { relay } = run;
  if (relay.phase === 'ended') return relay.outcome;
  if (run.cancel) return 'cancelling';
  switch (relay.phase) {
    case 'between':
    case 'scheduled':
      return waitingWord(run, relay.because);
    case 'working':
      return relay.progressed || relay.segment > 1 ? 'working' : 'starting';
    case 'resting':
      // One that was answered while it was paused waits for nothing but `resume`.
      return relay.why === 'paused' || (run.pause && pendingQuestions(run).length === 0) ? 'paused' : 'waiting';
    case 'landed':
      return 'working';
  }
}

function waitingWord(run: Run, because: string): RunStatusWord {
  if (run.pause) return 'paused';
  if (because === 'crash' || because === 'presumed-dead') return 'recovering';
  if (because === 'handoff' || because === 'drain') return 'handing-off';
  return because === 'requested' ? 'queued' : 'starting';
}

/** One sentence for people. */
export function summaryOf(run: Run): string {
  const { relay } = run;
  const items = run.items.length === 0 ? '' : ` ${tally(run)}`;
  if (relay.phase === 'ended') return endOf(run, relay);
  if (run.cancel) return `Cancel was requested by ${run.cancel.by}; the segment is closing.${items}`;
  if (relay.phase === 'between' && relay.restarts > 0) {
    return `Segment ${relay.next - 1} died (${relay.because}); restart ${relay.restarts} of ${run.caps.restartsWithoutProgress} without progress.${items}`;
  }
  if (relay.phase === 'resting' && statusOf(run) === 'waiting') {
    return `${waitingFor(run)}${run.pause ? ' It is paused as well.' : ''}${items}`;
  }
  if (relay.phase !== 'working') return `${capitalised(statusOf(run))}.${items}`;
  if (run.modelTrouble) return `${troubleOf(run, run.modelTrouble)}${items}`;
  const item = currentItem(run);
  return `Segment ${relay.segment} works${item ? ` on item ${item.id}` : ''}.${items}`;
}

function endOf(run: Run, { outcome, reason }: Extract<Relay, { phase: 'ended' }>): string {
  const items = run.items.length === 0 || reason.includes(tally(run)) ? '' : ` ${tally(run)}`;
  if (outcome === 'completed') {
    return `Completed in ${count(run.segments, 'segment')} and ${count(run.turns, 'step')}.${items}`;
  }
  return outcome === 'cancelled' ? `${reason}${items}` : `${capitalised(outcome)}: ${reason}${items}`;
}

function troubleOf({ caps }: Run, { kind, attempt, retryAt }: NonNullable<Run['modelTrouble']>): string {
  const retry = retryAt === undefined ? '' : `; retry ${attempt} of ${caps.modelRetries} at ${retryAt}`;
  return `Model ${kind.replaceAll('-', ' ')}${retry}.`;
}

function waitingFor(run: Run): string {
  const [first, ...more] = pendingQuestions(run);
  if (!first) return run.openCalls.length > 0 ? 'Has its answer, and goes on.' : 'Waits for a message.';
  const { callId, tool, question } = first;
  const asked = {
    approval: `a person’s agreement to ${tool} (call ${callId})`,
    doubt: `a person to say whether ${tool} (call ${callId}) took effect`,
    answer: `an answer to its question (call ${callId})`,
  }[question.kind];
  return `Waits for ${asked} until ${question.expiresAt}${more.length > 0 ? `, and for ${more.length} more` : ''}.`;
}

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** What is used of every cap, for people and programs. */
export function capUses(run: Run, now: number): Record<string, { used: number; limit: number }> {
  return Object.fromEntries(
    capsUsed(run, now).map(({ cap, used, limit }) => [cap, { used: Math.round(used * 10) / 10, limit }]),
  );
}
