import type { ContextMessage, Effort, ThinkingSpec } from '#contracts';
import { type Context, inPlaceOf, requestMessages, resultTokens } from './context.js';
import { affordableTokens } from './money.js';
import { compactRequest, systemPrompt } from './notices.js';
import { type OfferedTool, offeredTools } from './offered-tools.js';
import type { Run } from './run.js';

/** What is sent to the model, free of any wire's shape. A pure function of the log's prefix (law 6). */
export interface TurnRequest {
  readonly model: string;
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly thinking?: ThinkingSpec;
  readonly effort?: Effort;
  readonly system: string;
  readonly tools: readonly OfferedTool[];
  readonly messages: readonly ContextMessage[];
}

/** The request of the turn that is due, from the log up to revision `basedOn`. */
export function turnRequest(run: Run, context: Context, basedOn: number): TurnRequest {
  return frame(run, requestMessages(context, basedOn));
}

/** The request that asks for a summary of everything so far. */
export function compactionRequest(run: Run, context: Context, basedOn: number): TurnRequest {
  const messages = fitted(run, context, requestMessages(context, basedOn));
  const ask = { type: 'text' as const, text: compactRequest() };
  const last = messages.at(-1);
  return frame(
    run,
    last?.role === 'user'
      ? [...messages.slice(0, -1), { role: 'user', content: [...last.content, ask] }]
      : [...messages, { role: 'user', content: [ask] }],
  );
}

/** What a request must leave of the window for the summary that it asks for, and for what an estimate may be off. */
const ROOM_FOR_SUMMARY = 0.25;
/** A shorter result is not worth dropping. */
const LEAST_DROPPED_TOKENS = 100;

/** The messages with as many results dropped, the oldest first, as makes them fit into the model's window. */
function fitted(run: Run, context: Context, messages: readonly ContextMessage[]): readonly ContextMessage[] {
  let surplus = context.tokens - (1 - ROOM_FOR_SUMMARY) * run.agent.spec.model.contextTokens;
  if (run.words < 2 || surplus <= 0) return messages;
  return messages.map((message) => {
    if (message.role !== 'user' || surplus <= 0) return message;
    const content = message.content.map((block) => {
      if (block.type !== 'tool_result' || surplus <= 0) return block;
      const tokens = resultTokens(block);
      if (tokens <= LEAST_DROPPED_TOKENS) return block;
      surplus -= tokens;
      return { ...block, content: inPlaceOf(block, 4 * tokens) };
    });
    return { ...message, content };
  });
}

function frame(run: Run, messages: TurnRequest['messages']): TurnRequest {
  const { name, temperature, thinking, effort } = run.agent.spec.model;
  return {
    model: name,
    maxTokens: affordableTokens(run),
    ...(temperature === undefined ? {} : { temperature }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(effort === undefined ? {} : { effort }),
    system: systemPrompt(run),
    tools: offeredTools(run),
    messages,
  };
}
