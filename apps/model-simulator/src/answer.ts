import { createHash } from 'node:crypto';
import type { SimulateSpec } from '#contracts';
import { invalid } from './api-error.js';
import { playItems } from './items-policy.js';
import type { MessagesRequest, TextParam, ToolUseParam } from './messages-request.js';
import { charactersOf, inputTokens, tokensOf } from './token-count.js';

/** A message as the API answers it, without streaming. */
export interface Answer {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly (TextParam | ToolUseParam)[];
  readonly stop_reason: 'end_turn' | 'tool_use';
  readonly stop_sequence: null;
  readonly usage: {
    readonly input_tokens: number;
    readonly cache_creation_input_tokens: 0;
    readonly cache_read_input_tokens: 0;
    readonly output_tokens: number;
  };
}

/** A name for a request that its ids are made from; `written` is the request as it came. */
export const seedOf = (written: string, spec: SimulateSpec): string =>
  createHash('sha256').update(JSON.stringify(spec)).update(written).digest('hex');

/**
 * Plays one turn: the same request, spec and seed have the same answer, for ever and in every process.
 * @throws ApiError 400 when the policy cannot be played with this request.
 */
export function answerTo(request: MessagesRequest, spec: SimulateSpec, seed: string): Answer {
  const { text, call } = playItems(request, spec);
  const content: (TextParam | ToolUseParam)[] = [{ type: 'text', text }];
  if (call) content.push({ type: 'tool_use', id: `toolu_${seed.slice(0, 24)}`, name: call.tool, input: call.input });
  const outputTokens = tokensOf(content.reduce((total, block) => total + charactersOf(block), 0));
  if (request.max_tokens !== undefined && outputTokens > request.max_tokens) {
    throw invalid(`max_tokens: the model simulator needs ${outputTokens} tokens for this turn and never cuts one off`);
  }
  return {
    id: `msg_${seed.slice(24, 48)}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content,
    stop_reason: call ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: inputTokens(request),
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: outputTokens,
    },
  };
}
