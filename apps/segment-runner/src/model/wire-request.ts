import type Anthropic from '@anthropic-ai/sdk';
import type { ContextMessage } from '#contracts';
import type { ModelRequest } from './model-port.js';

type WireBlock = Anthropic.ContentBlockParam;
type WireMessage = Omit<Anthropic.MessageParam, 'content'> & { readonly content: readonly WireBlock[] };

const CACHED = { type: 'ephemeral' } as const;
const wireMessages = new WeakMap<ContextMessage, WireMessage>();

/** A request as the Messages API takes it; the SDK's types have no sampling parameters any more, see `versionHeaders`. */
export type WireRequest = Anthropic.MessageCreateParamsStreaming & { readonly temperature?: number };

/**
 * Writes a request down for the Messages API. Two places are marked for the prompt cache: the end of the instructions
 * (tools come before them) and the end of the conversation, which the next turn continues.
 */
export function toWire({ model, maxTokens, temperature, system, tools, messages }: ModelRequest): WireRequest {
  const blank = system.trim() === '';
  return {
    model,
    max_tokens: maxTokens,
    stream: true,
    ...(temperature === undefined ? {} : { temperature }),
    ...(blank ? {} : { system: [{ type: 'text', text: system, cache_control: CACHED }] }),
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((tool, place) => toWireTool(tool, blank && place === tools.length - 1)) }),
    messages: withCachedEnd(messages.map(toWireMessage)) as Anthropic.MessageParam[],
  };
}

/** The API's version of 2026-10-21 refuses a temperature; the one before it takes it, and the key in a header of its own. */
export const versionHeaders = ({ temperature }: ModelRequest, apiKey: string): Record<string, string | null> =>
  temperature === undefined ? {} : { 'anthropic-version': '2023-06-01', 'x-api-key': apiKey, authorization: null };

const toWireTool = (
  { name, description, inputSchema }: ModelRequest['tools'][number],
  cached: boolean,
): Anthropic.Tool => ({
  name,
  description,
  input_schema: inputSchema as Anthropic.Tool.InputSchema,
  ...(cached ? { cache_control: CACHED } : {}),
});

function toWireMessage(message: ContextMessage): WireMessage {
  const known = wireMessages.get(message);
  if (known !== undefined) return known;
  const blocks = message.content.flatMap(toWireBlock);
  // The API takes no message without content; a turn in which the model said nothing still has its place.
  const content: WireBlock[] = blocks.length > 0 ? blocks : [{ type: 'text', text: '(nothing)' }];
  const wire: WireMessage = { role: message.role, content };
  wireMessages.set(message, wire);
  return wire;
}

function toWireBlock(block: ContextMessage['content'][number]): WireBlock[] {
  switch (block.type) {
    case 'text':
      return toWireText(block);
    case 'tool_result':
      return [
        {
          type: 'tool_result',
          tool_use_id: block.toolUseId,
          content: block.content.flatMap(toWireText),
          is_error: block.isError,
        },
      ];
    case 'tool_use':
      return [{ type: 'tool_use', id: block.id, name: block.name, input: block.input }];
    case 'thinking':
    case 'redacted_thinking':
      return [block];
  }
}

/** The API refuses blank text. */
const toWireText = ({ text }: { readonly text: string }): Anthropic.TextBlockParam[] =>
  text.trim() === '' ? [] : [{ type: 'text', text }];

function withCachedEnd(messages: readonly WireMessage[]): readonly WireMessage[] {
  const message = messages.at(-1);
  const block = message?.content.at(-1);
  if (message === undefined || block === undefined) return messages;
  if (block.type !== 'text' && block.type !== 'tool_result') return messages;
  const content = [...message.content.slice(0, -1), { ...block, cache_control: CACHED }];
  return [...messages.slice(0, -1), { ...message, content }];
}
