import {
  builtInTools,
  type CallId,
  type CallOutcome,
  type ModelBlock,
  type Moment,
  type ToolName,
  ToolName as ToolNames,
} from '#contracts';
import { evolve } from './evolve.js';
import { count } from './notices.js';
import { itemAt, type OpenCall, openItems, placeOf, type Run } from './run.js';
import { type SegmentEvent, startNextItem } from './segment.js';

/** How a call is carried out: by the workspace, or by the log itself (settling an item has no other effect). */
export type Carrier = 'workspace' | 'log';

export const carrierOf = (tool: string): Carrier =>
  tool === 'complete_item' || tool === 'fail_item' ? 'log' : 'workspace';

/** Why a call cannot be started, in a sentence for the model; undefined when its input is right. */
export function refusalOf(run: Run, call: Pick<OpenCall, 'tool' | 'input'>): string | undefined {
  const tool = ToolNames.safeParse(call.tool);
  if (!tool.success || !offeredTools(run).includes(tool.data)) {
    return `There is no tool ${JSON.stringify(call.tool)}. The tools are: ${offeredTools(run).join(', ')}.`;
  }
  const input = builtInTools[tool.data].input.safeParse(call.input);
  if (input.success) return undefined;
  const faults = input.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  return `The input of ${call.tool} is wrong, and nothing was started. ${faults.join('; ')}.`;
}

/** The tools that a run's model is shown, in a fixed order. A run with items can always settle them. */
export function offeredTools(run: Run): readonly ToolName[] {
  const named = run.agent.spec.tools;
  const settling: ToolName[] = run.items.length > 0 ? ['complete_item', 'fail_item'] : [];
  return [...named, ...settling.filter((tool) => !named.includes(tool))];
}

/** The result of a call whose input was refused. */
export function rejected(call: OpenCall, segment: number, at: Moment, refusal: string): SegmentEvent {
  return completed({ call, segment, at }, 'rejected', refusal);
}

interface CallAt {
  readonly call: { readonly callId: CallId };
  readonly segment: number;
  readonly at: Moment;
}

function completed({ call, segment, at }: CallAt, outcome: CallOutcome, text: string): SegmentEvent {
  const content = [{ type: 'text' as const, text }];
  return { type: 'ToolCallCompleted', data: { at, segment, callId: call.callId, outcome, content, durationMs: 0 } };
}

/**
 * Settles an item: the events of `complete_item` and `fail_item`, whose only effect is the log. The next item is
 * announced with them.
 */
export function settleItem(run: Run, call: OpenCall, segment: number, at: Moment): readonly SegmentEvent[] {
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
      ? { type: 'ItemCompleted', data: typeof result === 'string' ? { ...data, result } : data }
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
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join(',')}}`;
}

/** What the model is told of a call whose effect nobody can know (law 5): the truth, never a guess. */
export function doubtNotice(call: OpenCall, reason: string): string {
  return (
    `This call was started${call.startedAt ? ` at ${call.startedAt}` : ''} and its outcome is unknown: ${reason} ` +
    'It may or may not have taken effect. Check before you repeat it.'
  );
}

/** The tool calls that a turn asks for, as they will be open once the turn is recorded. */
export const asksForTools = (content: readonly ModelBlock[]): boolean =>
  content.some((block) => block.type === 'tool_use');
