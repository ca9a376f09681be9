import type { ModelBlock, RunEventOf } from '#contracts';
import { tooLargeNotice } from './notices.js';

type Turn = Extract<RunEventOf['segment-runner'], { type: 'ModelTurnCompleted' }>['data'];
type Answer = Pick<Turn, 'content' | 'stopReason'>;

/**
 * What an answer may take in its event, in bytes of JSON: the log takes 1 MiB at once, and the results of items, which
 * are a part of the answer, are recorded with it once more.
 */
const MOST_BYTES = 450_000;
const SHORTEST_TEXT = 1_000;

/**
 * An answer as the log takes it. Of one that is too large the beginning is kept, and it counts as cut off at its length:
 * none of its calls is begun, the model is told which was too large and goes on from there.
 */
export function recordable<A extends Answer>(answer: A): A {
  if (jsonBytes(answer.content) <= MOST_BYTES) return answer;
  const content: ModelBlock[] = [];
  let left = MOST_BYTES;
  for (const block of answer.content) {
    const bytes = jsonBytes(block);
    if (block.type === 'tool_use') {
      content.push({ type: 'text', text: tooLargeNotice(block.name, bytes) });
      break;
    }
    if (bytes > left) {
      // One character takes six bytes at the most.
      const text = block.type === 'text' ? block.text.slice(0, Math.floor(left / 6)) : '';
      if (text.length >= SHORTEST_TEXT) content.push({ type: 'text', text });
      break;
    }
    content.push(block);
    left -= bytes;
  }
  return { ...answer, content, stopReason: 'max_tokens' };
}

function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value);
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // Of a pair of surrogates each half counts two of its four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes;
}

/** A summary longer than this is no summary. */
const MOST_SUMMARY_CHARACTERS = 100_000;
export const recordableSummary = (summary: string): string => summary.slice(0, MOST_SUMMARY_CHARACTERS);
