import type { Answer, AnswerBlock } from './answer.js';

const PIECE = 24;

/**
 * An answer as server-sent events, in beats: the first goes out at once, each of the others ends in one more piece of
 * the answer, and the last one also ends it.
 */
export function streamOf(answer: Answer): readonly (readonly string[])[] {
  const beats: string[][] = [];
  const { usage } = answer;
  const message = { ...answer, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
  let waiting = [frame('message_start', { message })];
  answer.content.forEach((block, index) => {
    const { started, deltas } = told(block);
    waiting.push(frame('content_block_start', { index, content_block: started }));
    if (beats.length === 0) waiting.push(frame('ping', {}));
    for (const delta of deltas) {
      beats.push(waiting);
      waiting = [frame('content_block_delta', { index, delta })];
    }
    waiting.push(frame('content_block_stop', { index }));
  });
  const delta = { stop_reason: answer.stop_reason, stop_sequence: null };
  waiting.push(frame('message_delta', { delta, usage }), frame('message_stop', {}));
  beats.push(waiting);
  return beats;
}

/** An error in the middle of a stream. */
export const errorFrame = (type: string, message: string): string => frame('error', { error: { type, message } });

/** How a block is told: as it starts, and piece by piece. */
function told(block: AnswerBlock): { readonly started: object; readonly deltas: readonly object[] } {
  switch (block.type) {
    case 'text':
      return {
        started: { ...block, text: '' },
        deltas: piecesOf(block.text, PIECE).map((text) => ({ type: 'text_delta', text })),
      };
    case 'thinking': {
      const thought = piecesOf(block.thinking, PIECE).map((thinking) => ({ type: 'thinking_delta', thinking }));
      const { signature } = block;
      const signed = signature === '' ? [] : [{ type: 'signature_delta', signature }];
      return { started: { ...block, thinking: '', signature: '' }, deltas: [...thought, ...signed] };
    }
    case 'redacted_thinking':
      return { started: block, deltas: [] };
    case 'tool_use': {
      const { written, ...call } = block;
      const json = piecesOf(written, PIECE * 8).map((piece) => ({ type: 'input_json_delta', partial_json: piece }));
      return { started: { ...call, input: {} }, deltas: json };
    }
  }
}

const frame = (event: string, fields: object): string =>
  `event: ${event}\ndata: ${JSON.stringify({ type: event, ...fields })}\n\n`;

/** Pieces of so many characters; a character outside the basic plane is never cut in two. */
const piecesOf = (text: string, length: number): readonly string[] =>
  text.match(new RegExp(`.{1,${length}}`, 'gsu')) ?? [text];
