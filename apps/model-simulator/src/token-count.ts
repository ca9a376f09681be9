import { type BlockParam, blocksOf, type MessagesRequest } from './messages-request.js';

const CHARACTERS_PER_TOKEN = 4;

export const tokensOf = (characters: number): number => Math.ceil(characters / CHARACTERS_PER_TOKEN);

/** The tokens that a request takes: four characters of its texts, names and inputs are one. */
export function inputTokens({ system, tools, messages }: MessagesRequest): number {
  const instructions = typeof system === 'string' ? system.length : sum(system ?? [], ({ text }) => text.length);
  const declared = sum(
    tools ?? [],
    ({ name, description, input_schema: schema }) =>
      name.length + (description?.length ?? 0) + JSON.stringify(schema).length,
  );
  const said = sum(messages, (message) => sum(blocksOf(message), charactersOf));
  return Math.max(1, tokensOf(instructions + declared + said));
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
      return typeof block.content === 'string'
        ? block.content.length
        : sum(block.content ?? [], ({ text }) => text.length);
  }
}

const sum = <T>(parts: readonly T[], measure: (part: T) => number): number =>
  parts.reduce((total, part) => total + measure(part), 0);
