import type { ContextMessage, Effort, ThinkingSpec } from '#contracts';
import { type Context, requestMessages } from './context.js';
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
  return { ...frame(run), messages: requestMessages(context, basedOn) };
}

/** The request that asks for a summary of everything so far. */
export function compactionRequest(run: Run, context: Context, basedOn: number): TurnRequest {
  const messages = requestMessages(context, basedOn);
  const ask = { type: 'text' as const, text: compactRequest() };
  const last = messages.at(-1);
  return {
    ...frame(run),
    messages:
      last?.role === 'user'
        ? [...messages.slice(0, -1), { role: 'user', content: [...last.content, ask] }]
        : [...messages, { role: 'user', content: [ask] }],
  };
}

function frame(run: Run): Omit<TurnRequest, 'messages'> {
  const { name, temperature, thinking, effort } = run.agent.spec.model;
  return {
    model: name,
    maxTokens: affordableTokens(run),
    ...(temperature === undefined ? {} : { temperature }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(effort === undefined ? {} : { effort }),
    system: systemPrompt(run),
    tools: offeredTools(run),
  };
}
