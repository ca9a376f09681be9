import type Anthropic from '@anthropic-ai/sdk';
import type { ContextMessage, DocumentBlock, ImageBlock, ResultBlock } from '#contracts';
import type { ModelRequest } from './model-port.js';
import { type Media, toWireMedia } from './wire-media.js';

type WireBlock = Anthropic.ContentBlockParam;
type WireMessage = Omit<Anthropic.MessageParam, 'content'> & { readonly content: readonly WireBlock[] };

const CACHED = { type: 'ephemeral' } as const;
const wireMessages = new WeakMap<ContextMessage, WireMessage>();

/** A request as the Messages API takes it; the SDK's types have no sampling parameters any more, see `versionHeaders`. */
export type WireRequest = Anthropic.MessageCreateParamsStreaming & { readonly temperature?: number };

/** What a request shows that was not written down before, and so has to be loaded for it. */
export const mediaIn = ({ messages }: ModelRequest): readonly (ImageBlock | DocumentBlock)[] =>
  messages
    .filter((message) => !wireMessages.has(message))
    .flatMap(({ content }) => content as readonly ContextMessage['content'][number][])
    .flatMap((block): readonly ContextMessage['content'][number][] =>
      block.type === 'tool_result' ? block.content : [block],
    )
    .filter((block) => block.type === 'image' || block.type === 'document');

/**
 * Writes a request down for the Messages API. Three places are marked for the prompt cache: the end of the instructions
 * (tools come before them); the end of the conversation, which the next turn continues; and where the turn before ended,
 * since from the end alone the API looks back at twenty blocks only, and a turn with many calls adds more.
 */
export function toWire(request: ModelRequest, media: Media = new Map()): WireRequest {
  const { model, maxTokens, temperature, system, tools, messages } = request;
  const blank = system.trim() === '';
  return {
    model,
    max_tokens: maxTokens,
    stream: true,
    ...(temperature === undefined ? {} : { temperature }),
    ...thinkingOf(request),
    ...(blank ? {} : { system: [{ type: 'text', text: system, cache_control: CACHED }] }),
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((tool, place) => toWireTool(tool, blank && place === tools.length - 1)) }),
    messages: marked(messages.map((message) => toWireMessage(message, media))) as Anthropic.MessageParam[],
  };
}

function thinkingOf({ thinking, effort }: ModelRequest): Pick<WireRequest, 'thinking' | 'output_config'> {
  const config: Anthropic.ThinkingConfigParam | undefined =
    typeof thinking === 'object'
      ? { type: 'enabled', budget_tokens: thinking.budgetTokens }
      : thinking && { type: thinking };
  return { ...(config ? { thinking: config } : {}), ...(effort === undefined ? {} : { output_config: { effort } }) };
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

function toWireMessage(message: ContextMessage, media: Media): WireMessage {
  const known = wireMessages.get(message);
  if (known !== undefined) return known;
  const blocks = message.content.flatMap((block) => toWireBlock(block, media));
  // The API takes no message without content; a turn in which the model said nothing still has its place.
  const content: WireBlock[] = blocks.length > 0 ? blocks : [{ type: 'text', text: '(nothing)' }];
  const wire: WireMessage = { role: message.role, content };
  wireMessages.set(message, wire);
  return wire;
}

function toWireBlock(block: ContextMessage['content'][number], media: Media): WireBlock[] {
  switch (block.type) {
    case 'text':
    case 'image':
    case 'document':
      return toWireResult(block, media);
    case 'tool_result':
      return [
        {
          type: 'tool_result',
          tool_use_id: block.toolUseId,
          content: block.content.flatMap((part) => toWireResult(part, media)),
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

function toWireResult(
  block: ResultBlock,
  media: Media,
): (Anthropic.TextBlockParam | Anthropic.ImageBlockParam | Anthropic.DocumentBlockParam)[] {
  if (block.type !== 'text') return [toWireMedia(block, media)];
  // The API refuses blank text.
  return block.text.trim() === '' ? [] : [{ type: 'text', text: block.text }];
}

/** The messages with marks where this conversation ends, and where it ended in the turn before. */
function marked(messages: readonly WireMessage[]): readonly WireMessage[] {
  const before = messages.findLastIndex(({ role }) => role === 'assistant') - 1;
  return messages.map((message, place) =>
    place === before || place === messages.length - 1 ? withMarkedEnd(message) : message,
  );
}

function withMarkedEnd(message: WireMessage): WireMessage {
  const block = message.content.at(-1);
  if (block === undefined || block.type === 'thinking' || block.type === 'redacted_thinking') return message;
  const end = { ...block, cache_control: CACHED } as WireBlock;
  return { ...message, content: [...message.content.slice(0, -1), end] };
}
