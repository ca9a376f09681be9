import { millisOf, type RunEvent } from '#contracts';
import { isEnded, type Relay, type Run } from './run.js';

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>['data'];

export type RelayEvent = Extract<
  RunEvent,
  {
    type:
      | 'SegmentScheduled'
      | 'SegmentStarted'
      | 'SegmentEnded'
      | 'RunPresumedDead'
      | 'RunCompleted'
      | 'RunFailed'
      | 'RunCancelled'
      | 'RunHalted'
      | 'RunReopened';
  }
>;

export function relayChanges(run: Run, event: RelayEvent): Partial<Run> {
  if (event.type === 'RunReopened') return reopened(run, event.data.at);
  if (isEnded(run)) return {};
  const since = event.data.at;
  const ended = (outcome: 'completed' | 'failed' | 'cancelled' | 'halted', reason: string): Partial<Run> => ({
    relay: { phase: 'ended', outcome, reason },
    since,
  });
  switch (event.type) {
    case 'SegmentScheduled': {
      const { segment, because, restartsWithoutProgress: restarts } = event.data;
      const rested = run.relay.phase === 'resting' ? Math.max(0, millisOf(since) - millisOf(run.since)) : 0;
      return {
        relay: { phase: 'scheduled', segment, because, restarts },
        segments: segment,
        restedMs: run.restedMs + rested,
        since,
      };
    }
    case 'SegmentStarted': {
      const { segment, runner, deadline, at, price = null } = event.data;
      const restarts = 'restarts' in run.relay ? run.relay.restarts : 0;
      return {
        relay: { phase: 'working', segment, restarts, startedAt: at, deadline, runner, progressed: false },
        price,
        since,
      };
    }
    case 'SegmentEnded':
      return isCurrent(run, event.data.segment) ? { ...segmentEnded(run, event.data), since } : {};
    case 'RunPresumedDead':
      if (!isCurrent(run, event.data.segment)) return {};
      return { relay: died(run, event.data.segment, 'presumed-dead'), deaths: run.deaths + 1, since };
    case 'RunCompleted':
      return ended('completed', event.data.result);
    case 'RunFailed':
      return ended('failed', event.data.reason);
    case 'RunCancelled':
      return ended('cancelled', `Cancelled by ${event.data.by}.`);
    case 'RunHalted':
      return ended('halted', event.data.reason);
  }
}

/** Whether the segment is the one that is scheduled or works: of no other can an end or a death be true now. */
const isCurrent = ({ relay }: Run, segment: number): boolean =>
  (relay.phase === 'working' || relay.phase === 'scheduled') && relay.segment === segment;

function segmentEnded(run: Run, { segment, reason, detail = '' }: Of<'SegmentEnded'>): Partial<Run> {
  switch (reason) {
    case 'handoff':
    case 'drain':
      return {
        relay: { phase: 'between', next: segment + 1, because: reason, restarts: 0 },
        handoffs: run.handoffs + 1,
      };
    case 'crashed':
      return { relay: died(run, segment, 'crash'), deaths: run.deaths + 1 };
    case 'waiting':
    case 'paused':
      return { relay: { phase: 'resting', segment, why: reason } };
    case 'finished':
    case 'failed':
    case 'cancelled':
      return { relay: { phase: 'landed', segment, how: reason, detail } };
  }
}

/** A death after at least one recorded step is no sign of a run that kills its runners: the count begins anew. */
function died(run: Run, segment: number, because: 'crash' | 'presumed-dead'): Relay {
  const { relay } = run;
  const before = relay.phase === 'working' || relay.phase === 'scheduled' ? relay.restarts : 0;
  const progressed = relay.phase === 'working' && relay.progressed;
  return { phase: 'between', next: segment + 1, because, restarts: progressed ? 0 : before + 1 };
}

/** Only what a cap has halted goes on; whatever halted it begins to count anew. */
function reopened(run: Run, at: string): Partial<Run> {
  if (run.relay.phase !== 'ended' || run.relay.outcome !== 'halted') return {};
  return {
    relay: { phase: 'between', next: run.segments + 1, because: 'reopened', restarts: 0 },
    since: at,
    restedMs: run.restedMs + Math.max(0, millisOf(at) - millisOf(run.since)),
    modelTrouble: null,
    idleTurns: 0,
  };
}
