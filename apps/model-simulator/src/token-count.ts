import {
  type BlockParam,
  blocksOf,
  type MediaParam,
  type MessagesRequest,
  type TextParam,
  type ToolParam,
} from './messages-request.js';

const CHARACTERS_PER_TOKEN = 4;

export const tokensOf = (characters: number): number => Math.ceil(characters / CHARACTERS_PER_TOKEN);
export const charactersOfTokens = (tokens: number): number => tokens * CHARACTERS_PER_TOKEN;

/** A picture counts as much as the API's largest; a page with its picture somewhat more. */
const IMAGE_TOKENS = 1_600;
const PAGE_TOKENS = 3_000;
const PAGE_BYTES = 50_000;

/** One part of a request in the order in which the API reads them: tools, system, messages. */
export interface PromptPart {
  /** Everything about the part that the answer may depend on; how it is cached is not. */
  readonly says: string;
  readonly characters: number;
  /** Whether the prompt cache is to remember everything up to the end of this part. */
  readonly marked: boolean;
}

/** The tokens that a request takes: four characters of its texts, names and inputs are one. */
export function inputTokens(request: MessagesRequest): number {
  return Math.max(1, tokensOf(promptParts(request).reduce((sum, { characters }) => sum + characters, 0)));
}

export function promptParts({ system, tools, messages }: MessagesRequest): readonly PromptPart[] {
  const instructions: readonly TextParam[] =
    typeof system === 'string' ? [{ type: 'text', text: system }] : (system ?? []);
  return [
    ...(tools ?? []).map((tool) => part('tool', tool, charactersOfTool(tool))),
    ...instructions.map((block) => part('system', block, block.text.length)),
    ...messages.flatMap((message) => blocksOf(message).map((block) => part(message.role, block, charactersOf(block)))),
  ];
}

export function charactersOf(block: BlockParam): number {
  switch (block.type) {
    case 'text':
      return block.text.length;
    case 'thinking':
      return block.thinking.length;
    case 'redacted_thinking':
      return block.data.length;
    case 'tool_use':
      return block.name.length + JSON.stringify(block.input).length;
    case 'tool_result':
      if (typeof block.content === 'string') return block.content.length;
      return (block.content ?? []).reduce((sum, inner) => sum + charactersOf(inner), 0);
    case 'image':
    case 'document':
      return charactersOfMedia(block);
  }
}

const charactersOfTool = ({ name, description, input_schema: schema }: ToolParam): number =>
  name.length + (description?.length ?? 0) + JSON.stringify(schema).length;

function charactersOfMedia({ type, source }: MediaParam): number {
  if (source.type === 'text') return source.data.length;
  if (type === 'image') return charactersOfTokens(IMAGE_TOKENS);
  return charactersOfTokens(PAGE_TOKENS * Math.ceil((source.data.length * 3) / 4 / PAGE_BYTES));
}

function part(place: string, block: object & { cache_control?: unknown }, characters: number): PromptPart {
  const { cache_control: mark, ...content } = block;
  return { says: `${place} ${JSON.stringify(content)}`, characters, marked: Boolean(mark) };
}
