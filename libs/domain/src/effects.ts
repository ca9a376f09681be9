import type { EffectsAnswer, EffectView, Recorded, RunEvent } from '#contracts';
import { evolve } from './evolve.js';
import { carrierOf, effectPolicyOf } from './offered-tools.js';
import type { OpenCall, Run } from './run.js';

/** What one tool call did outside the log: started → (in doubt) → settled. */
export type Effect = EffectView;

/**
 * The effect ledger of a run, in the order in which the calls were asked for. What only the log or a person carries out
 * is no effect.
 */
export function effectsOf(events: Iterable<Recorded<RunEvent>>): readonly Effect[] {
  const effects = new Map<string, Effect>();
  let run: Run | undefined;
  for (const recorded of events) {
    run = evolve(run, recorded);
    const { event } = recorded;
    if (event.type === 'ModelTurnCompleted') {
      for (const effect of askedBy(run)) effects.set(effect.callId, effect);
    } else if ('callId' in event.data && event.data.callId !== undefined) {
      const before = effects.get(event.data.callId);
      if (before) effects.set(event.data.callId, { ...before, ...changes(before, event) });
    }
  }
  return [...effects.values()];
}

const askedBy = (run: Run): readonly Effect[] =>
  run.openCalls.filter(({ tool }) => carrierOf(tool) === 'workspace').map((call) => asked(run, call));

const asked = (run: Run, { callId, tool, input }: OpenCall): Effect => ({
  callId,
  tool,
  input: { ...input },
  effect: effectPolicyOf(run, tool).effect,
  state: 'waiting',
  attempts: 0,
  collected: false,
});

function changes(before: Effect, event: RunEvent): Partial<Effect> {
  switch (event.type) {
    case 'ToolCallStarted': {
      const { at, segment, attempt = 1 } = event.data;
      const first = before.startedAt === undefined ? { startedAt: at, startedBy: segment } : {};
      return { ...first, state: 'running', attempts: attempt };
    }
    case 'ToolCallCompleted': {
      const { at, segment, outcome, collected = false } = event.data;
      const began = outcome !== 'rejected' && outcome !== 'denied';
      return { state: began ? 'done' : 'not-started', outcome, endedAt: at, endedBy: segment, collected };
    }
    case 'ToolCallInDoubt':
      return { state: 'in-doubt', doubt: { reason: event.data.reason } };
    case 'ToolCallSettled': {
      const { at, segment, by } = event.data;
      const state = by === 'model' ? 'in-doubt' : 'done';
      return { state, endedAt: at, endedBy: segment, doubt: { reason: before.doubt?.reason ?? '', settledBy: by } };
    }
    default:
      return approval(before, event);
  }
}

function approval(before: Effect, event: RunEvent): Partial<Effect> {
  switch (event.type) {
    case 'ApprovalRequested':
      return event.data.about === 'doubt' ? {} : { approval: { state: 'pending' } };
    case 'ApprovalGranted':
      return isPending(before) ? { approval: { state: 'granted', by: event.data.by } } : {};
    case 'ApprovalDenied':
      return isPending(before) ? { approval: { state: 'denied', by: event.data.by } } : {};
    case 'ApprovalExpired':
      return isPending(before) ? { approval: { state: 'expired' } } : {};
    default:
      return {};
  }
}

const isPending = ({ approval: known }: Effect): boolean => known?.state === 'pending';

/** How many calls took effect (or may have), were run again after a doubt, are in doubt for ever, and were never started. */
export const effectTotals = (effects: readonly Effect[]): EffectsAnswer['totals'] => ({
  executed: effects.filter(({ attempts }) => attempts > 0).length,
  repeated: effects.filter(({ attempts }) => attempts > 1).length,
  inDoubt: effects.filter(({ state }) => state === 'in-doubt').length,
  notStarted: effects.filter(({ state }) => state === 'not-started').length,
});
