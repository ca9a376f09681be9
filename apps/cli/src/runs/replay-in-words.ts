import type { ContextMessage } from '#contracts';
import { currentItem, type History, itemsOf, requestMessages, statusOf, summaryOf } from '#domain';

/** What a run was at a revision, for programs. */
export function replayed({ run, context }: History): Readonly<Record<string, unknown>> {
  return {
    revision: run.last.revision,
    type: run.last.type,
    at: run.last.at,
    status: statusOf(run),
    summary: summaryOf(run),
    items: itemsOf(run),
    openCalls: run.openCalls,
    context: requestMessages(context, run.last.revision),
  };
}

/** The same for people. */
export function replayInWords(history: History): string {
  const { run, context } = history;
  const current = currentItem(run);
  const lines = [
    `At revision ${run.last.revision} (${run.last.type}, ${run.last.at})`,
    `  status  ${statusOf(run)}: ${summaryOf(run)}`,
    ...itemsOf(run).map(
      (item) => `  item    ${item.state.padEnd(7)} ${item.id}${item.id === current?.id ? '  ← in work' : ''}`,
    ),
    ...run.openCalls.map(
      (call) => `  call    ${call.state.padEnd(7)} ${call.callId} ${call.tool} ${JSON.stringify(call.input)}`,
    ),
    '  context, as the model sees it:',
    ...requestMessages(context, run.last.revision).flatMap(messageInWords),
  ];
  return lines.join('\n');
}

function messageInWords({ role, content }: ContextMessage): readonly string[] {
  return content.flatMap((block) => {
    const said = blockInWords(block).split('\n');
    return said.map((line, index) => (index === 0 ? `    ${role.padEnd(9)} ${line}` : `              ${line}`));
  });
}

function blockInWords(block: ContextMessage['content'][number]): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'tool_use':
      return `calls ${block.name} ${JSON.stringify(block.input)}`;
    case 'tool_result':
      return `${block.isError ? 'error' : 'result'}: ${block.content.map(blockInWords).join('\n')}`;
    case 'thinking':
      return `(thinks) ${block.thinking}`;
    case 'redacted_thinking':
      return '(thinks, unreadably)';
    case 'image':
    case 'document':
      return `(${block.type} ${block.blob.mediaType}, ${block.blob.bytes} bytes, ${block.blob.digest.slice(0, 12)})`;
  }
}
