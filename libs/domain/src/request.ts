import {
  BUILT_IN_TOOLS,
  builtInTools,
  type ContextMessage,
  type Effort,
  inputSchemaOf,
  type ThinkingSpec,
  type ToolName,
} from '#contracts';
import { offeredTools } from './calls.js';
import { type Context, requestMessages } from './context.js';
import { compactRequest, systemPrompt } from './notices.js';
import type { Run } from './run.js';

/** What is sent to the model, free of any wire's shape. A pure function of the log's prefix (law 6). */
export interface TurnRequest {
  readonly model: string;
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly thinking?: ThinkingSpec;
  readonly effort?: Effort;
  readonly system: string;
  readonly tools: readonly {
    readonly name: string;
    readonly description: string;
    readonly inputSchema: Record<string, unknown>;
  }[];
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

/** Made once: the same objects every turn, so that their digests can be remembered. */
const DECLARATIONS = Object.fromEntries(
  BUILT_IN_TOOLS.map((name) => [
    name,
    { name, description: builtInTools[name].description, inputSchema: inputSchemaOf(name) },
  ]),
) as Record<ToolName, TurnRequest['tools'][number]>;

function frame(run: Run): Omit<TurnRequest, 'messages'> {
  const { name, maxTokens, temperature, thinking, effort } = run.agent.spec.model;
  return {
    model: name,
    maxTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(effort === undefined ? {} : { effort }),
    system: systemPrompt(run),
    tools: offeredTools(run).map((tool) => DECLARATIONS[tool]),
  };
}
