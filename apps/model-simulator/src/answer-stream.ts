import type { Answer } from './answer.js';

const PIECE = 24;

/**
 * An answer as server-sent events, in beats: the first goes out at once, each of the others ends in one more piece of
 * the answer, and the last one also ends it.
 */
export function streamOf(answer: Answer): readonly string[] {
  const beats: string[] = [];
  const { usage } = answer;
  const message = { ...answer, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
  let waiting = frame('message_start', { message });
  answer.content.forEach((block, index) => {
    const [started, delta, pieces] =
      block.type === 'text'
        ? [{ ...block, text: '' }, textDelta, piecesOf(block.text, PIECE)]
        : [{ ...block, input: {} }, jsonDelta, piecesOf(JSON.stringify(block.input), PIECE * 8)];
    waiting += frame('content_block_start', { index, content_block: started });
    if (beats.length === 0) waiting += frame('ping', {});
    for (const piece of pieces) {
      beats.push(waiting);
      waiting = frame('content_block_delta', { index, delta: delta(piece) });
    }
    waiting += frame('content_block_stop', { index });
  });
  const delta = { stop_reason: answer.stop_reason, stop_sequence: null };
  waiting += frame('message_delta', { delta, usage });
  beats.push(waiting + frame('message_stop', {}));
  return beats;
}

const textDelta = (text: string): object => ({ type: 'text_delta', text });
const jsonDelta = (json: string): object => ({ type: 'input_json_delta', partial_json: json });

const frame = (event: string, fields: object): string =>
  `event: ${event}\ndata: ${JSON.stringify({ type: event, ...fields })}\n\n`;

/** Pieces of so many characters; a character outside the basic plane is never cut in two. */
const piecesOf = (text: string, length: number): readonly string[] =>
  text.match(new RegExp(`.{1,${length}}`, 'gsu')) ?? [text];
