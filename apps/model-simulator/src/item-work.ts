import type { AnnouncedItem, Progress } from './announcement.js';
import {
  blocksOf,
  type MessageParam,
  resultText,
  type ToolResultParam,
  type ToolUseParam,
} from './messages-request.js';

/** What the conversation shows of the work at the current item. */
export interface ItemWork extends Progress {
  /** How the call that was to settle the item ended, if there was one. */
  readonly settling: 'none' | 'done' | 'refused';
}

const RESULT_CHARACTERS = 200;

/** Folds what was called and answered since the item's announcement. */
export function itemWork(messages: readonly MessageParam[], { item, at, before }: AnnouncedItem): ItemWork {
  const calls = new Map<string, ToolUseParam>();
  const unworked: ItemWork = { ...(before ?? { calls: 0, output: '', failed: false }), id: item.id, settling: 'none' };
  return messages
    .slice(at + 1)
    .flatMap(blocksOf)
    .reduce((work, block) => {
      if (block.type === 'tool_use') calls.set(block.id, block);
      return block.type === 'tool_result' ? withResult(work, calls.get(block.tool_use_id), block) : work;
    }, unworked);
}

function withResult(work: ItemWork, call: ToolUseParam | undefined, result: ToolResultParam): ItemWork {
  const failed = result.is_error === true;
  if (call?.name === 'ask_human') return { ...work, answer: firstLine(resultText(result)) };
  if (call?.name === 'bash') {
    // Of several calls side by side, the one that failed is what matters.
    const output = work.failed ? work.output : firstLine(resultText(result));
    return { ...work, calls: work.calls + 1, output, failed: work.failed || failed };
  }
  return settles(call, work.id) ? { ...work, settling: failed ? 'refused' : 'done' } : work;
}

const settles = (call: ToolUseParam | undefined, itemId: string): boolean =>
  (call?.name === 'complete_item' || call?.name === 'fail_item') && call.input['item_id'] === itemId;

const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').trim().slice(0, RESULT_CHARACTERS);
