import type { Caps, ModelBlock, Recorded, RunEvent, Usage } from '#contracts';
import { callIdOf, millisOf, momentOf } from '#contracts';
import { isEnded, type OpenCall, PROGRESS, placeOf, type Relay, type Run } from './run.js';

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>['data'];

/**
 * Folds one event into the state. Total: an event that does not fit (which the laws exclude) changes nothing but `last`.
 * @throws when the first event is not `RunRequested`.
 */
export function evolve(run: Run | undefined, { revision, event }: Recorded<RunEvent>): Run {
  const last = { revision, type: event.type, at: event.data.at };
  if (event.type === 'RunRequested') return run ?? { ...requested(event.data), last };
  if (run === undefined) throw new Error(`The stream of a run begins with ${event.type} instead of RunRequested.`);
  return { ...run, ...changes(run, event, revision), last };
}

function requested(data: Of<'RunRequested'>): Omit<Run, 'last'> {
  return {
    agent: data.agent,
    caps: data.caps,
    input: data.input ?? '',
    items: data.items,
    progress: PROGRESS.open.repeat(data.items.length),
    settled: { done: 0, failed: 0 },
    requestedAt: data.at,
    relay: { phase: 'between', next: 1, because: 'requested', restarts: 0 },
    since: data.at,
    segments: 0,
    handoffs: 0,
    deaths: 0,
    turns: 0,
    idleTurns: 0,
    tokens: 0,
    executed: 0,
    openCalls: [],
    lastTurn: null,
    modelTrouble: null,
    cancel: null,
    pause: false,
    unread: [],
    nearedCaps: [],
  };
}

function changes(run: Run, event: Exclude<RunEvent, { type: 'RunRequested' }>, revision: number): Partial<Run> {
  switch (event.type) {
    case 'MessageReceived':
      return { unread: [...run.unread, revision] };
    case 'CancelRequested':
      return { cancel: run.cancel ?? { by: event.data.by, at: event.data.at } };
    case 'PauseRequested':
      return { pause: true };
    case 'ResumeRequested':
      return { pause: false };
    case 'CapsRaised':
      return raised(run, withoutUndefined(event.data.caps));
    case 'SegmentScheduled':
    case 'SegmentStarted':
    case 'SegmentEnded':
    case 'RunPresumedDead':
    case 'RunCompleted':
    case 'RunFailed':
    case 'RunCancelled':
    case 'RunHalted':
      return relayChanges(run, event);
    case 'ModelTurnFailed':
      return modelChanges(run, event);
    case 'ModelTurnCompleted':
    case 'ContextCompacted':
      return progress(run, modelChanges(run, event));
    case 'ItemStarted':
      return marked(run, event.data.itemId, 'started');
    case 'ItemCompleted':
      return progress(run, settledItem(run, event.data.itemId, 'done'));
    case 'ItemFailed':
      return progress(run, settledItem(run, event.data.itemId, 'failed'));
    case 'ToolCallStarted':
    case 'ToolCallInDoubt':
    case 'ToolCallCompleted':
    case 'ToolCallSettled':
      return callChanges(run, event);
    case 'CapNeared':
      return { nearedCaps: [...run.nearedCaps, event.data.cap] };
    case 'ApprovalRequested':
    case 'ApprovalGranted':
    case 'ApprovalDenied':
    case 'ApprovalExpired':
    case 'RunReopened':
      return {};
  }
}

type RelayEvent = Extract<
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
      | 'RunHalted';
  }
>;

function relayChanges(run: Run, event: RelayEvent): Partial<Run> {
  if (isEnded(run)) return {};
  const since = event.data.at;
  const ended = (outcome: 'completed' | 'failed' | 'cancelled' | 'halted', reason: string): Partial<Run> => ({
    relay: { phase: 'ended', outcome, reason },
    since,
  });
  switch (event.type) {
    case 'SegmentScheduled': {
      const { segment, because, restartsWithoutProgress: restarts } = event.data;
      return { relay: { phase: 'scheduled', segment, because, restarts }, segments: segment, since };
    }
    case 'SegmentStarted': {
      const { segment, runner, deadline, at } = event.data;
      const restarts = 'restarts' in run.relay ? run.relay.restarts : 0;
      return {
        relay: { phase: 'working', segment, restarts, startedAt: at, deadline, runner, progressed: false },
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

function progress(run: Run, change: Partial<Run>): Partial<Run> {
  const { relay } = run;
  if (relay.phase !== 'working' || relay.progressed) return change;
  return { ...change, relay: { ...relay, progressed: true } };
}

type ModelEvent = Extract<RunEvent, { type: 'ModelTurnCompleted' | 'ModelTurnFailed' | 'ContextCompacted' }>;

function modelChanges(run: Run, event: ModelEvent): Partial<Run> {
  switch (event.type) {
    case 'ModelTurnCompleted': {
      const { turn, content, stopReason, usage, basedOn } = event.data;
      const openCalls = callsOf(turn, content);
      return {
        turns: turn,
        tokens: run.tokens + tokensOf(usage),
        openCalls,
        idleTurns: openCalls.length === 0 ? idleTurnsAfter(run, basedOn) : 0,
        lastTurn: { stopReason, text: textOf(content) },
        modelTrouble: null,
        // What arrived after the request was built has not been read by anyone.
        unread: run.unread.filter((received) => received > basedOn),
      };
    }
    case 'ModelTurnFailed': {
      const { attempt, kind, message, retryInMs, at } = event.data;
      const retry = retryInMs === undefined ? {} : { retryAt: momentOf(millisOf(at) + retryInMs) };
      return { modelTrouble: { attempt, kind, message, failedAt: at, ...retry } };
    }
    case 'ContextCompacted':
      return { tokens: run.tokens + tokensOf(event.data.usage), modelTrouble: null };
  }
}

const tokensOf = ({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: Usage): number =>
  inputTokens + cacheReadTokens + cacheWriteTokens + outputTokens;

/** An answer to a person's message is work: the turns in a row begin anew with it. */
const idleTurnsAfter = (run: Run, basedOn: number): number =>
  run.unread.some((received) => received <= basedOn) ? 1 : run.idleTurns + 1;

function callsOf(turn: number, content: readonly ModelBlock[]): OpenCall[] {
  return content
    .filter((block) => block.type === 'tool_use')
    .map(({ name, input }, place) => ({ callId: callIdOf(turn, place), tool: name, input, state: 'asked' as const }));
}

export function textOf(content: readonly { readonly type: string }[]): string {
  return content.map((block) => ('text' in block ? String(block.text) : '')).join('');
}

type CallEvent = Extract<
  RunEvent,
  { type: 'ToolCallStarted' | 'ToolCallInDoubt' | 'ToolCallCompleted' | 'ToolCallSettled' }
>;

function callChanges(run: Run, event: CallEvent): Partial<Run> {
  const { callId, segment, at } = event.data;
  const others = run.openCalls.filter((call) => call.callId !== callId);
  const change = (to: Partial<OpenCall>): Partial<Run> => ({
    openCalls: run.openCalls.map((call) => (call.callId === callId ? { ...call, ...to } : call)),
  });
  switch (event.type) {
    case 'ToolCallStarted':
      return change({ state: 'started', startedAt: at, segment });
    case 'ToolCallInDoubt':
      return change({ state: 'in-doubt' });
    case 'ToolCallCompleted':
      return progress(run, {
        openCalls: others,
        executed: run.executed + (event.data.outcome === 'rejected' ? 0 : 1),
      });
    case 'ToolCallSettled':
      return progress(run, { openCalls: others, executed: run.executed + 1 });
  }
}

function settledItem(run: Run, id: string, state: 'done' | 'failed'): Partial<Run> {
  const before = run.progress[placeOf(run, id) ?? run.items.length];
  if (before !== PROGRESS.open && before !== PROGRESS.started) return {};
  return { ...marked(run, id, state), settled: { ...run.settled, [state]: run.settled[state] + 1 } };
}

/** A cap that was raised is announced again when it is near again. */
function raised(run: Run, caps: Partial<Caps>): Partial<Run> {
  return { caps: { ...run.caps, ...caps }, nearedCaps: run.nearedCaps.filter((cap) => !(cap in caps)) };
}

function marked(run: Run, id: string, state: keyof typeof PROGRESS): Partial<Run> {
  const place = placeOf(run, id);
  if (place === undefined) return {};
  return { progress: `${run.progress.slice(0, place)}${PROGRESS[state]}${run.progress.slice(place + 1)}` };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;
}
