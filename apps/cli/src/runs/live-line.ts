import type { RunEvent } from '#contracts';
import { count } from '#domain';

/** What an event says to a person who watches; undefined when it says nothing that another one does not say too. */
export function lineOf({ type, data }: RunEvent): string | undefined {
  switch (type) {
    case 'SegmentStarted':
      return `segment ${data.segment} starts in process ${data.runner.pid}`;
    case 'SegmentEnded':
      return `segment ${data.segment} ends: ${data.reason}${data.detail ? ` (${data.detail})` : ''}`;
    case 'RunPresumedDead':
      return `segment ${data.segment} is presumed dead (${data.evidence})`;
    case 'ModelTurnCompleted':
      return `step ${data.turn}: ${callsOf(data.content)}`;
    case 'ModelTurnFailed':
      return `step ${data.turn}: the model is ${data.kind}, attempt ${data.attempt} failed (${data.message})`;
    case 'ItemCompleted':
      return `item ${data.itemId} is done`;
    case 'ItemFailed':
      return `item ${data.itemId} failed: ${firstLine(data.reason)}`;
    case 'ToolCallCompleted':
      return data.outcome === 'ok' && data.collected !== true ? undefined : `call ${data.callId}: ${endOf(data)}`;
    case 'ToolCallInDoubt':
      return `call ${data.callId} is in doubt: ${data.reason}`;
    case 'CapNeared':
      return `${data.cap}: ${data.used} of ${data.limit} used`;
    case 'RunCompleted':
      return data.items.total === 0
        ? 'completed'
        : `completed: ${data.items.done} of ${count(data.items.total, 'item')} done`;
    case 'RunFailed':
    case 'RunHalted':
      return `${type === 'RunFailed' ? 'failed' : 'halted'}: ${data.reason}`;
    case 'RunCancelled':
      return `cancelled by ${data.by}; ${count(data.effects.executed, 'call')} had been executed`;
    case 'CancelRequested':
      return `cancel is requested by ${data.by}`;
    case 'ContextCompacted':
      return 'the context is compacted';
    default:
      return undefined;
  }
}

type Turn = Extract<RunEvent, { type: 'ModelTurnCompleted' }>['data'];
type CallEnd = Extract<RunEvent, { type: 'ToolCallCompleted' }>['data'];

function callsOf(content: Turn['content']): string {
  const said = content.map((block) => {
    if (block.type === 'tool_use') return `${block.name} ${firstLine(JSON.stringify(Object.values(block.input)))}`;
    return block.type === 'text' ? firstLine(block.text) : '';
  });
  return said.filter(Boolean).join(' → ') || 'nothing to say';
}

const endOf = ({ outcome, collected }: CallEnd): string =>
  collected ? `${outcome}, collected from the workspace: an earlier segment had started it` : outcome;

const MOST = 90;

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > MOST ? `${line.slice(0, MOST - 1)}…` : line;
}
