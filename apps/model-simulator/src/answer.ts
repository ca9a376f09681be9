import { createHash } from 'node:crypto';
import type { SimulateSpec } from '#contracts';
import { isJson } from '#platform';
import type {
  MessagesRequest,
  RedactedThinkingParam,
  TextParam,
  ThinkingParam,
  ToolUseParam,
} from './messages-request.js';
import type { Move } from './move.js';
import type { CacheUse } from './prompt-cache.js';
import { redacted, signatureOf } from './thinking-signature.js';
import { charactersOf, charactersOfTokens, tokensOf } from './token-count.js';

/** A call as it is answered; `written` is what the stream says of its input. */
interface ToolUseAnswer extends ToolUseParam {
  readonly written: string;
}

export type AnswerBlock = TextParam | ThinkingParam | RedactedThinkingParam | ToolUseAnswer;

/** A message as the API answers it. */
export interface Answer {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly AnswerBlock[];
  readonly stop_reason: NonNullable<Move['stopReason']>;
  readonly stop_sequence: null;
  readonly usage: {
    readonly input_tokens: number;
    readonly cache_creation_input_tokens: number;
    readonly cache_read_input_tokens: number;
    readonly output_tokens: number;
  };
}

/** A name for a request that its ids are made from; `written` is the request as it came. */
export const seedOf = (written: string, spec: SimulateSpec): string =>
  createHash('sha256').update(JSON.stringify(spec)).update(written).digest('hex');

/** The answer that makes a move. Its content is a function of move, request and seed; its usage tells of the cache, too. */
export function answerOf(move: Move, request: MessagesRequest, seed: string, cache: CacheUse): Answer {
  const whole = contentOf(move, request, seed);
  const room = request.max_tokens ?? Number.POSITIVE_INFINITY;
  const isTooLong = outputTokens(whole) > room;
  const content = isTooLong ? cutTo(whole, room) : whole;
  return {
    id: `msg_${seed.slice(24, 48)}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content,
    stop_reason: isTooLong ? 'max_tokens' : (move.stopReason ?? (move.calls.length > 0 ? 'tool_use' : 'end_turn')),
    stop_sequence: null,
    usage: {
      input_tokens: cache.fresh,
      cache_creation_input_tokens: cache.written,
      cache_read_input_tokens: cache.read,
      output_tokens: outputTokens(content),
    },
  };
}

/** The answer, cut off by the length limit after half of it. */
export function cutInHalf(answer: Answer): Answer {
  const content = cutTo(answer.content, Math.ceil(answer.usage.output_tokens / 2));
  const usage = { ...answer.usage, output_tokens: outputTokens(content) };
  return { ...answer, content, stop_reason: 'max_tokens', usage };
}

/** The answer as it is sent without streaming, where a half-written call has no place. */
export const wholeMessage = (answer: Answer): object => ({
  ...answer,
  content: answer.content.flatMap((block): readonly object[] => {
    if (block.type !== 'tool_use') return [block];
    const { written, ...call } = block;
    return isJson(written) ? [call] : [];
  }),
});

function contentOf(move: Move, { thinking }: MessagesRequest, seed: string): readonly AnswerBlock[] {
  const shown = thinking && 'display' in thinking && thinking.display === 'omitted' ? '' : move.thinking;
  const content: AnswerBlock[] = [];
  if (shown !== undefined) content.push({ type: 'thinking', thinking: shown, signature: signatureOf(shown) });
  if (move.redactedThinking !== undefined)
    content.push({ type: 'redacted_thinking', data: redacted(move.redactedThinking) });
  content.push(...move.texts.map((text) => ({ type: 'text' as const, text })));
  const calls = move.calls.map(({ tool, input, written }, place) => ({
    type: 'tool_use' as const,
    id: `toolu_${createHash('sha256').update(`${seed}/${place}`).digest('hex').slice(0, 24)}`,
    name: tool,
    input,
    written: written ?? JSON.stringify(input),
  }));
  return [...content, ...calls];
}

const outputTokens = (content: readonly AnswerBlock[]): number =>
  content.length === 0 ? 1 : tokensOf(content.reduce((total, block) => total + writtenCharacters(block), 0));

const writtenCharacters = (block: AnswerBlock): number =>
  block.type === 'tool_use' ? block.name.length + block.written.length : charactersOf(block);

/** As many blocks as there is room for; the last one stops in its middle. */
function cutTo(content: readonly AnswerBlock[], tokens: number): readonly AnswerBlock[] {
  let room = charactersOfTokens(tokens);
  const kept: AnswerBlock[] = [];
  for (const block of content) {
    const characters = writtenCharacters(block);
    if (characters > room) return [...kept, ...cutOff(block, room)];
    kept.push(block);
    room -= characters;
  }
  return kept;
}

function cutOff(block: AnswerBlock, characters: number): readonly AnswerBlock[] {
  if (characters <= 0) return [];
  switch (block.type) {
    case 'text':
      return [{ ...block, text: block.text.slice(0, characters) }];
    case 'thinking':
      return [{ ...block, thinking: block.thinking.slice(0, characters), signature: '' }];
    case 'tool_use':
      return [{ ...block, written: block.written.slice(0, Math.max(0, characters - block.name.length)) }];
    case 'redacted_thinking':
      return [];
  }
}
