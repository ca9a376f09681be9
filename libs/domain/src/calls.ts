import type { CallId, CallOutcome, MediaBlock, Moment } from '#contracts';
import { evolve } from './evolve.js';
import { count, itemNotice, settledNotice, tally } from './notices.js';
import { currentItem, itemAt, type OpenCall, openItems, placeOf, type Run } from './run.js';
import { type SegmentEvent, startNextItem } from './segment.js';

/** The result of a call whose input was refused. */
export function rejected(call: OpenCall, segment: number, at: Moment, refusal: string): SegmentEvent {
  return completed({ call, segment, at }, 'rejected', refusal);
}

/** A call that a person did not agree to. */
export const denied = (call: OpenCall, segment: number, at: Moment, why: string): SegmentEvent =>
  completed({ call, segment, at }, 'denied', why);

/** A call that was stopped before the workspace had heard of it. */
export const neverBegun = (
  call: OpenCall,
  { segment, at }: { readonly segment: number; readonly at: Moment },
): SegmentEvent => completed({ call, segment, at }, 'cancelled', 'It was stopped before it began.');

/** What a person has answered to `ask_human`, or that nobody did. */
export const answeredBy = (call: OpenCall, segment: number, at: Moment): SegmentEvent =>
  call.question?.state === 'answered'
    ? completed({ call, segment, at }, 'ok', call.question.words ?? '', call.question.attachments)
    : completed({ call, segment, at }, 'error', 'Nobody has answered in time. Go on as well as you can without it.');

/** The calls whose only effect is the log. */
export const carryOut = (run: Run, call: OpenCall, segment: number, at: Moment): readonly SegmentEvent[] =>
  call.tool === 'next_item' ? showItem(run, call, segment, at) : settleItem(run, call, segment, at);

function showItem(run: Run, call: OpenCall, segment: number, at: Moment): readonly SegmentEvent[] {
  const item = currentItem(run);
  const shown = item ? `${tally(run)}\n${itemNotice(run, item.id)}` : settledNotice(run);
  return [completed({ call, segment, at }, 'ok', shown)];
}

interface CallAt {
  readonly call: { readonly callId: CallId };
  readonly segment: number;
  readonly at: Moment;
}

function completed(
  { call, segment, at }: CallAt,
  outcome: CallOutcome,
  text: string,
  media: readonly MediaBlock[] = [],
): SegmentEvent {
  const content = [...media, { type: 'text' as const, text }];
  return { type: 'ToolCallCompleted', data: { at, segment, callId: call.callId, outcome, content, durationMs: 0 } };
}

/**
 * Settles an item: the events of `complete_item` and `fail_item`, whose only effect is the log. The next item is
 * announced with them.
 */
function settleItem(run: Run, call: OpenCall, segment: number, at: Moment): readonly SegmentEvent[] {
  const itemId = textAt(call, 'item_id');
  const item = itemAt(run, placeOf(run, itemId) ?? run.items.length);
  const place: CallAt = { call, segment, at };
  if (!item) return [completed(place, 'error', `There is no item ${JSON.stringify(itemId)}.`)];
  if (item.state === 'done' || item.state === 'failed') {
    return [completed(place, 'error', `The item ${JSON.stringify(itemId)} was settled before (${item.state}).`)];
  }
  const data = { at, segment, callId: call.callId, itemId };
  const { result } = call.input;
  const settled: SegmentEvent =
    call.tool === 'complete_item'
      ? {
          type: 'ItemCompleted',
          data: typeof result === 'string' ? { at, segment, callId: call.callId, itemId, result } : data,
        }
      : { type: 'ItemFailed', data: { ...data, reason: textAt(call, 'reason') } };
  const answer = completed(
    place,
    'ok',
    `Recorded. ${count(openItems(run) - 1, 'item')} of ${run.items.length} still open.`,
  );
  const revision = run.last.revision + 1;
  const after = evolve(run, { id: '', revision, event: settled, metadata: NO_METADATA });
  return [answer, settled, ...startNextItem(after, segment, at)];
}

const textAt = (call: OpenCall, field: string): string => {
  const value = call.input[field];
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
};

const NO_METADATA = {
  tenant: '',
  correlationId: '',
  actor: { kind: 'segment', id: '' },
  schemaVersion: 1,
} as const;

/** The digestible text of a tool's input: keys in order, so that the same input always reads the same. */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = value as Readonly<Record<string, unknown>>;
  let text = '';
  for (const key of Object.keys(fields).toSorted()) {
    if (fields[key] !== undefined) text += `${text && ','}${JSON.stringify(key)}:${canonical(fields[key])}`;
  }
  return `{${text}}`;
}
