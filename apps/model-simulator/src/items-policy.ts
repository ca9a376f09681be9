import type { SimulateSpec } from '#contracts';
import { asksToCompact, type Item, lastAnnouncement, progressLine } from './announcement.js';
import { invalid } from './api-error.js';
import { type ItemWork, itemWork } from './item-work.js';
import type { MessagesRequest } from './messages-request.js';
import { commandFor } from './shell-command.js';

/** What the model does in a turn: it says something, and may call one tool. */
export interface Move {
  readonly text: string;
  readonly call?: { readonly tool: string; readonly input: Readonly<Record<string, unknown>> };
}

/** Works through Baton's items one by one: so many commands for each, then the item is settled. */
export function playItems(request: MessagesRequest, spec: SimulateSpec): Move {
  const announced = lastAnnouncement(request.messages);
  const work = announced.kind === 'item' ? itemWork(request.messages, announced) : undefined;
  if (asksToCompact(request.messages)) return { text: summary(work) };
  if (announced.kind === 'none') return { text: 'There are no items to work through, so this is all I have to say.' };
  if (announced.kind === 'no-open-items' || !work) return { text: 'All items are settled. The work is done.' };
  const move = nextMove(announced.item, work, spec);
  checkDeclared(move, request);
  return move;
}

function nextMove(item: Item, work: ItemWork, spec: SimulateSpec): Move {
  const name = `item ${item.number} of ${item.of}`;
  if (work.settling === 'done') return { text: `I have settled ${name} and wait for the next one.` };
  if (work.settling === 'refused') return { text: `I could not settle ${name}: the call was refused.` };
  if (work.failed) {
    const reason = work.output || 'The command failed without a word.';
    return { text: `I give up ${name}.`, call: { tool: 'fail_item', input: { item_id: item.id, reason } } };
  }
  if (work.calls < spec.callsPerItem) {
    return { text: `I work on ${name}.`, call: { tool: 'bash', input: { command: commandFor(spec.command, item) } } };
  }
  const input = { item_id: item.id, ...(work.output === '' ? {} : { result: work.output }) };
  return { text: `I complete ${name}.`, call: { tool: 'complete_item', input } };
}

/** A summary keeps what was done about the current item, so that nothing is done twice after it. */
function summary(work: ItemWork | undefined): string {
  if (work === undefined) return 'Nothing is in progress.';
  const { settling: _, ...progress } = work;
  return `The current item is in progress.\n${progressLine(progress)}`;
}

function checkDeclared({ call }: Move, { tools = [] }: MessagesRequest): void {
  if (call === undefined || tools.some(({ name }) => name === call.tool)) return;
  throw invalid(
    `tools: the model simulator's policy "items" wants to call "${call.tool}", which is not declared; add it to the agent's tools`,
  );
}
