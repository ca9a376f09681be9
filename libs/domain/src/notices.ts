import type { CapName, Discovery, MediaBlock } from '#contracts';
import { currentItem, itemsOf, openItems, placeOf, type Run } from './run.js';

/*
 * What Baton itself says to the model. Every text is a pure function of the log's prefix (law 6): changing one changes
 * the digests of runs under way, so a change needs a new schema version of the event that it belongs to.
 */

/** The standing instructions: the agent's own, then how work is settled. A stable prefix, so that it can be cached. */
export function systemPrompt(run: Run): string {
  const { instructions } = run.agent.spec;
  if (run.items.length === 0) return instructions;
  return [
    instructions,
    'You work through a list of items, one at a time, in the order in which they are given to you. ' +
      'The current item is announced in a line `<item>…</item>`. When it is done, call `complete_item` with its id and a short result; ' +
      'when it cannot be done, call `fail_item` with its id and the reason. The next item is announced then. ' +
      'When no item is open any more, close with a short report and call no further tool.',
  ].join('\n\n');
}

export function openingNotice(run: Run): string {
  const work = run.items.length === 0 ? [] : [`There are ${count(run.items.length, 'item')} to work through.`];
  const opening = [run.input, ...work].filter((line) => line !== '').join('\n\n');
  return opening === '' ? 'Begin.' : opening;
}

export function itemNotice(run: Run, itemId: string): string {
  const place = placeOf(run, itemId) ?? -1;
  const announced = { id: itemId, number: place + 1, of: run.items.length, input: run.items[place]?.input ?? null };
  return `The current item:\n<item>${JSON.stringify(announced)}</item>`;
}

export function settledNotice(run: Run): string {
  return `${tally(run)}\n<no-open-items/>\nClose with a short report.`;
}

/** The model has ended its turn without a call; undefined when that is the end of the work. */
export function idleNotice(run: Run): string | undefined {
  if (openItems(run) === 0) return undefined;
  const item = currentItem(run);
  const open = `${count(openItems(run), 'item')} of ${run.items.length} still open. Go on; use \`complete_item\` or \`fail_item\` to settle each.`;
  return item === undefined ? open : `${open}\n${itemNotice(run, item.id)}`;
}

export const cutOffNotice = (): string => 'Your answer was cut off at the length limit. Go on from there.';

export function capNotice({ cap, used, limit }: { cap: CapName; used: number; limit: number }): string {
  return `${Math.round((used / limit) * 100)} % of the run's limit of ${limit} ${CAP_WORDS[cap]} is used. Bring the work to a good end before it is reached.`;
}

export const compactRequest = (): string =>
  '<compact/>\nThe conversation is near the limit of its length. Summarise what has been done, found and decided, what is in progress and what comes next, ' +
  'so that the work can go on from your summary alone. Call no tool.';

/** Stands in an answer for a call that the log cannot take. */
export const tooLargeNotice = (tool: string, bytes: number): string =>
  `[A call of ${tool} with an input of ${bytes} bytes was to follow. It was too large to be recorded and was not begun: do it in smaller parts.]`;

/** The tools of an MCP server have gone, or are there again. */
export function serverNotice(discovery: Discovery): string {
  const { server } = discovery;
  if (discovery.state === 'unavailable') {
    return `The server ${server} cannot be reached, so its tools cannot be used for now: ${discovery.reason}`;
  }
  if (discovery.ended === undefined) return `The tools of the server ${server} can be used.`;
  const anew = discovery.hasSessions
    ? `The session with the server ${server} has ended and another was begun, so what it held for that session is gone.`
    : `The server ${server} has ended and was started again, so what it held in its memory is gone.`;
  return `${anew} Its tools can be used. ${discovery.ended}`;
}

/** What a dropped tool result leaves in its place. */
export const droppedNotice = (characters: number): string =>
  `[A result of ${characters} characters stood here. It was dropped to keep the conversation short; ask again if you need it.]`;

/** Beside the words of a message whose attachments are not restated. */
export const attachedNotice = (attached: number): string => `[${count(attached, 'file')} came with it]`;

const WHY_NOT_SHOWN = {
  'too-large': 'It is too large to be shown in this conversation; look at it with a command.',
  refused: 'The model could not be shown it: it may be broken, or larger than it can read.',
  dropped: 'It was dropped to keep the conversation short; ask again if you need it.',
} as const;

/** What stands where an image or a document cannot. */
export const mediaNotice = ({ type, blob }: MediaBlock, why: keyof typeof WHY_NOT_SHOWN): string =>
  `[${type === 'image' ? 'An image' : 'A document'} (${blob.mediaType}, ${blob.bytes} bytes) belongs here. ${WHY_NOT_SHOWN[why]}]`;

/** What replaces the conversation after a compaction. */
export function restatement(run: Run, summary: string): string {
  const item = currentItem(run);
  const parts = [
    run.input,
    run.words < 2 || run.told.length === 0
      ? ''
      : `What people have told you since, in order:\n${run.told.map(restated).join('\n')}`,
    run.items.length === 0 ? '' : `${tally(run)}${failures(run)}`,
    `Summary of the work so far:\n${summary}`,
    run.words < 3 || run.background.length === 0
      ? ''
      : `Commands that you have started in the background and not stopped:\n${run.background.map(({ callId, command }) => `- ${callId}: ${command}`).join('\n')}`,
    item === undefined ? '' : itemNotice(run, item.id),
    run.items.length > 0 && openItems(run) === 0 ? settledNotice(run) : '',
    'Go on from here.',
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

const RESTATED_CHARACTERS = 2_000;
const restated = (text: string): string => `- ${text.slice(0, RESTATED_CHARACTERS)}`;

const FAILURES_NAMED = 50;
function failures(run: Run): string {
  const failed = itemsOf(run)
    .filter(({ state }) => state === 'failed')
    .map(({ id }) => id);
  return run.words < 2 || failed.length === 0 ? '' : ` Failed: ${failed.slice(0, FAILURES_NAMED).join(', ')}.`;
}

export const CAP_WORDS: Readonly<Record<CapName, string>> = {
  segments: 'segments',
  steps: 'steps',
  runMinutes: 'minutes',
  restartsWithoutProgress: 'restarts without progress',
  tokens: 'tokens',
  modelRetries: 'model retries',
  idleTurns: 'turns without a tool call',
  dollars: 'US dollars',
};

export function tally(run: Run): string {
  const { done, failed } = run.settled;
  return `${done} of ${count(run.items.length, 'item')} completed, ${failed} failed, ${openItems(run)} open.`;
}

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
