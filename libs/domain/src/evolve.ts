import type { Caps, ModelBlock, Recorded, RunEvent, Usage } from '#contracts';
import { callIdOf, millisOf, momentOf } from '#contracts';
import { callChanges, messageChanges, questionChanges } from './evolve-calls.js';
import { relayChanges } from './evolve-relay.js';
import { costOf, tokensOf } from './money.js';
import { type OpenCall, PROGRESS, placeOf, type Run } from './run.js';
import { copyOf } from './run-copy.js';

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>['data'];

/**
 * Folds one event into the state. Total: an event that does not fit (which the laws exclude) changes nothing but `last`.
 * @throws when the first event is not `RunRequested`.
 */
export function evolve(run: Run | undefined, { revision, event }: Recorded<RunEvent>): Run {
  const last = { revision, type: event.type, at: event.data.at };
  if (event.type === 'RunRequested') return run ?? requested(event.data, last);
  if (run === undefined) throw new Error(`The stream of a run begins with ${event.type} instead of RunRequested.`);
  return Object.assign(copyOf(run), changes(run, event, revision), { last });
}

function requested(data: Of<'RunRequested'>, last: Run['last']): Run {
  return {
    agent: data.agent,
    caps: data.caps,
    input: data.input ?? '',
    attachments: data.attachments ?? [],
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
    usage: NO_USAGE,
    price: null,
    microDollars: 0,
    contextTokens: 0,
    executed: 0,
    openCalls: [],
    background: [],
    lastTurn: null,
    modelTrouble: null,
    cancel: null,
    pause: false,
    unread: [],
    interrupt: null,
    told: [],
    received: [],
    stayOpen: data.stayOpen ?? false,
    words: data.words ?? 1,
    restedMs: 0,
    servers: {},
    nearedCaps: [],
    last,
  };
}

function changes(run: Run, event: Exclude<RunEvent, { type: 'RunRequested' }>, revision: number): Partial<Run> {
  switch (event.type) {
    case 'MessageReceived':
      return messageChanges(run, event.data, revision);
    case 'CancelRequested':
      return { cancel: run.cancel ?? { by: event.data.by, at: event.data.at, revision } };
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
    case 'RunReopened':
      return relayChanges(run, event);
    case 'ModelTurnFailed':
      return modelChanges(run, event);
    case 'ModelTurnCompleted':
    case 'ContextCompacted':
      return progress(run, modelChanges(run, event));
    case 'ItemStarted':
      return { progress: marked(run, event.data.itemId, 'started') };
    case 'ItemCompleted':
      return progress(run, settledItem(run, event.data.itemId, 'done'));
    case 'ItemFailed':
      return progress(run, settledItem(run, event.data.itemId, 'failed'));
    case 'ToolCallStarted':
    case 'ToolCallInDoubt':
      return callChanges(run, event);
    case 'ToolCallCompleted':
    case 'ToolCallSettled':
      return progress(run, callChanges(run, event));
    case 'ApprovalRequested':
    case 'ApprovalGranted':
    case 'ApprovalDenied':
    case 'ApprovalExpired':
      return questionChanges(run, event);
    case 'ToolsDiscovered': {
      const { discovery } = event.data;
      const known = run.servers[discovery.server];
      const returned = known?.discovery.state === 'unavailable';
      const tools = discovery.state === 'ready' ? discovery.tools : (known?.tools ?? []);
      const { instance } = discovery.state === 'ready' ? discovery : { ...known };
      const server = { discovery, returned, tools, ...(instance !== undefined && { instance }) };
      return { servers: { ...run.servers, [discovery.server]: server } };
    }
    case 'CapNeared':
      return { nearedCaps: [...run.nearedCaps, event.data.cap] };
  }
}

function progress(run: Run, change: Partial<Run>): Partial<Run> {
  const { relay } = run;
  if (relay.phase !== 'working' || relay.progressed) return change;
  return { relay: { ...relay, progressed: true }, ...change };
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
        microDollars: run.microDollars + priceOf(run, usage),
        usage: sumOf(run.usage, usage),
        contextTokens: tokensOf(usage),
        openCalls,
        idleTurns: openCalls.length === 0 ? idleTurnsAfter(run, basedOn) : 0,
        lastTurn: { stopReason, text: textOf(content) },
        modelTrouble: null,
        // What arrived after the request was built has not been read by anyone.
        unread: run.unread.filter((received) => received > basedOn),
        interrupt: run.interrupt !== null && run.interrupt > basedOn ? run.interrupt : null,
      };
    }
    case 'ModelTurnFailed': {
      const { attempt, kind, message, retryInMs, at } = event.data;
      const retry = retryInMs === undefined ? {} : { retryAt: momentOf(millisOf(at) + retryInMs) };
      return { modelTrouble: { attempt, kind, message, failedAt: at, ...retry } };
    }
    case 'ContextCompacted': {
      const { usage } = event.data;
      return {
        tokens: run.tokens + tokensOf(usage),
        microDollars: run.microDollars + priceOf(run, usage),
        usage: sumOf(run.usage, usage),
        contextTokens: usage.outputTokens,
        modelTrouble: null,
      };
    }
  }
}

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

const priceOf = ({ price }: Run, usage: Usage): number => (price === null ? 0 : costOf(usage, price));

const sumOf = (before: Usage, usage: Usage): Usage => ({
  inputTokens: before.inputTokens + usage.inputTokens,
  outputTokens: before.outputTokens + usage.outputTokens,
  cacheReadTokens: before.cacheReadTokens + usage.cacheReadTokens,
  cacheWriteTokens: before.cacheWriteTokens + usage.cacheWriteTokens,
});

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

function settledItem(run: Run, id: string, state: 'done' | 'failed'): Partial<Run> {
  const before = run.progress[placeOf(run, id) ?? run.items.length];
  if (before !== PROGRESS.open && before !== PROGRESS.started) return {};
  const { done, failed } = run.settled;
  const settled = state === 'done' ? { done: done + 1, failed } : { done, failed: failed + 1 };
  return { progress: marked(run, id, state), settled };
}

/** A cap that was raised is announced again when it is near again. */
function raised(run: Run, caps: Partial<Caps>): Partial<Run> {
  return { caps: { ...run.caps, ...caps }, nearedCaps: run.nearedCaps.filter((cap) => !(cap in caps)) };
}

function marked(run: Run, id: string, state: keyof typeof PROGRESS): string {
  const place = placeOf(run, id);
  if (place === undefined) return run.progress;
  return `${run.progress.slice(0, place)}${PROGRESS[state]}${run.progress.slice(place + 1)}`;
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;
}
