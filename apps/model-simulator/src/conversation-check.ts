import { invalid } from './api-error.js';
import { blocksOf, type MessageParam, type ToolParam } from './messages-request.js';

/**
 * Asserts what holds between messages: user and assistant alternate, the user begins and ends, every tool call is
 * answered in the next message and every answer has its call. (The API itself merges two messages of one role; Baton
 * never means to send such, so here they are an error.)
 */
export function checkConversation(messages: readonly MessageParam[], tools: readonly ToolParam[] | undefined): void {
  const hasTools = tools !== undefined && tools.length > 0;
  const seen = new Set<string>();
  let open: readonly string[] = [];
  messages.forEach((message, index) => {
    checkRole(message, index);
    checkAnswers(message, index, open);
    open = callsOf(message, index, hasTools, seen);
  });
  if (messages.at(-1)?.role !== 'user') {
    throw invalid(
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    );
  }
}

function checkRole({ role }: MessageParam, index: number): void {
  if (index === 0 && role !== 'user') throw invalid('messages: first message must use the "user" role');
  if ((index % 2 === 0 ? 'user' : 'assistant') !== role) {
    throw invalid(
      `messages.${index}: roles must alternate between "user" and "assistant", but found multiple "${role}" roles in a row`,
    );
  }
}

function checkAnswers(message: MessageParam, index: number, open: readonly string[]): void {
  if (message.role === 'assistant') return;
  const missing = new Set(open);
  let afterText = false;
  blocksOf(message).forEach((block, place) => {
    if (block.type !== 'tool_result') afterText = true;
    if (block.type !== 'tool_result') return;
    if (!open.includes(block.tool_use_id)) {
      throw invalid(
        `messages.${index}.content.${place}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${block.tool_use_id}. ` +
          'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
      );
    }
    if (afterText)
      throw invalid(`messages.${index}.content.${place}: \`tool_result\` blocks must come before any other content`);
    if (!missing.delete(block.tool_use_id)) {
      throw invalid(
        `messages.${index}.content.${place}: each tool_use must have a single result. ` +
          `Found multiple \`tool_result\` blocks with id: ${block.tool_use_id}`,
      );
    }
  });
  if (missing.size > 0) {
    throw invalid(
      `messages.${index - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ` +
        `${[...missing].join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
    );
  }
}

/** The ids of the calls that the next message has to answer. */
function callsOf(message: MessageParam, index: number, hasTools: boolean, seen: Set<string>): readonly string[] {
  if (message.role === 'user') return [];
  const ids: string[] = [];
  blocksOf(message).forEach((block, place) => {
    if (block.type !== 'tool_use') return;
    if (seen.has(block.id)) throw invalid(`messages.${index}.content.${place}: \`tool_use\` ids must be unique`);
    if (!hasTools) {
      throw invalid(
        `messages.${index}.content.${place}: requests which include \`tool_use\` blocks must define \`tools\``,
      );
    }
    seen.add(block.id);
    ids.push(block.id);
  });
  return ids;
}
