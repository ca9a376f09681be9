import type { ItemsPlay, SimulateSpec } from '#contracts';
import { type Item, lastAnnouncement, progressLine, remarksIn } from './announcement.js';
import { invalid } from './api-error.js';
import { type ItemWork, itemWork } from './item-work.js';
import type { MessageParam, MessagesRequest } from './messages-request.js';
import { type Move, says } from './move.js';
import { commandFor } from './shell-command.js';

/** Works through Baton's items one by one: so many commands for each, then the item is settled. */
export function playItems(request: MessagesRequest, spec: ItemsPlay): Move {
  const move = workOn(request, spec);
  checkDeclared(move, request);
  const heard = remarksIn(request.messages).map((remark) => `You said: "${remark}".`);
  return { ...move, texts: [...heard, ...move.texts] };
}

/** A summary keeps what was done about the current item, so that nothing is done twice after it. */
export function summaryOf(messages: readonly MessageParam[], { policy }: SimulateSpec): string {
  const announced = lastAnnouncement(messages);
  if (policy !== 'items' || announced.kind !== 'item') return 'Nothing is in progress.';
  const { settling: _, ...progress } = itemWork(messages, announced);
  return `The current item is in progress.\n${progressLine(progress)}`;
}

function workOn({ messages }: MessagesRequest, spec: ItemsPlay): Move {
  const announced = lastAnnouncement(messages);
  switch (announced.kind) {
    case 'none':
      return says('There are no items to work through, so this is all I have to say.');
    case 'no-open-items':
      return says('All items are settled. The work is done.');
    case 'item':
      return nextMove(announced.item, itemWork(messages, announced), spec);
  }
}

function nextMove(item: Item, work: ItemWork, spec: ItemsPlay): Move {
  const name = `item ${item.number} of ${item.of}`;
  if (work.settling === 'done') return says(`I have settled ${name} and wait for the next one.`);
  if (work.settling === 'refused') return says(`I could not settle ${name}: the call was refused.`);
  if (work.failed || work.calls >= spec.callsPerItem) return settle(item, work, spec);
  if (spec.question !== undefined && work.answer === undefined) {
    return { texts: [`I ask about ${name}.`], calls: [{ tool: 'ask_human', input: { question: spec.question } }] };
  }
  const many = Math.min(spec.callsPerTurn ?? 1, spec.callsPerItem - work.calls);
  const calls = Array.from({ length: many }, (_, place) => {
    const words = { ...item, call: work.calls + place + 1, answer: work.answer ?? '' };
    return { tool: 'bash', input: { command: commandFor(spec.command, words) } };
  });
  return { texts: [`I work on ${name}.`], calls };
}

function settle(item: Item, work: ItemWork, { settle: may = true }: ItemsPlay): Move {
  const name = `item ${item.number} of ${item.of}`;
  if (!may) return says(`I have nothing more to do about ${name}.`);
  if (work.failed) {
    const reason = work.output || 'The command failed without a word.';
    return { texts: [`I give up ${name}.`], calls: [{ tool: 'fail_item', input: { item_id: item.id, reason } }] };
  }
  const input = { item_id: item.id, ...(work.output === '' ? {} : { result: work.output }) };
  return { texts: [`I complete ${name}.`], calls: [{ tool: 'complete_item', input }] };
}

function checkDeclared({ calls }: Move, { tools = [] }: MessagesRequest): void {
  const missing = calls.find(({ tool }) => !tools.some(({ name }) => name === tool));
  if (missing === undefined) return;
  throw invalid(
    `tools: the model simulator's policy "items" wants to call "${missing.tool}", which is not declared; add it to the agent's tools`,
  );
}
