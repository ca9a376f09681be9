import { z } from 'zod';
import { Json } from '#contracts';
import { invalid } from './api-error.js';
import { blocksOf, type MessageParam } from './messages-request.js';

const Item = z.object({ id: z.string().min(1), number: z.int().positive(), of: z.int().positive(), input: Json });
export type Item = z.infer<typeof Item>;

/** What was done about an item; a summary carries it over a compaction, in a line of its own. */
const Progress = z.object({
  id: z.string(),
  calls: z.int().nonnegative(),
  output: z.string(),
  failed: z.boolean(),
  /** What a person has answered. */
  answer: z.string().optional(),
});
export type Progress = z.infer<typeof Progress>;

/** An item that is open, as it was announced. */
export interface AnnouncedItem {
  readonly kind: 'item';
  readonly item: Item;
  /** The place of the announcing message in the conversation. */
  readonly at: number;
  /** What a summary in the same text says was done about the item before. */
  readonly before: Progress | undefined;
}

/** The work as Baton last announced it in the text of a user message. */
export type Announcement = { readonly kind: 'none' } | { readonly kind: 'no-open-items' } | AnnouncedItem;

const NO_OPEN_ITEMS = '<no-open-items/>';

/**
 * Finds the last announcement: the latest message, its latest text, the latest line. An item that was announced before
 * is the same piece of work, which began with its first announcement.
 */
export function lastAnnouncement(messages: readonly MessageParam[]): Announcement {
  const places = messages.map((_, at) => at);
  const last = firstFound(messages, places.toReversed(), () => true);
  if (last?.kind !== 'item') return last ?? { kind: 'none' };
  return firstFound(messages, places, (found) => found.kind === 'item' && found.item.id === last.item.id) ?? last;
}

function firstFound(
  messages: readonly MessageParam[],
  places: readonly number[],
  isWanted: (found: Announcement) => boolean,
): Announcement | undefined {
  for (const at of places) {
    const message = messages[at];
    const texts = message?.role === 'user' ? textsOf(message).toReversed() : [];
    const found = texts.map((text) => announcedIn(text, at)).find((announced) => announced && isWanted(announced));
    if (found) return found;
  }
  return undefined;
}

const REMARK_CHARACTERS = 100;

/**
 * The beginnings of what was said to the model since its last turn besides announcements: by people, or by Baton about
 * its limits. What opens a conversation is no remark.
 */
export function remarksIn(messages: readonly MessageParam[]): readonly string[] {
  const message = messages.at(-1);
  if (message === undefined || messages.length === 1) return [];
  return textsOf(message)
    .filter((text) => announcedIn(text, 0) === undefined)
    .map((text) => (text.trim().split('\n', 1)[0] ?? '').slice(0, REMARK_CHARACTERS));
}

/** Whether the last user text asks for a summary instead of work. */
export const asksToCompact = (messages: readonly MessageParam[]): boolean => {
  const message = messages.at(-1);
  return message !== undefined && (textsOf(message).at(-1)?.split('\n').includes('<compact/>') ?? false);
};

export const progressLine = (progress: Progress): string => `<progress>${JSON.stringify(progress)}</progress>`;

const textsOf = (message: MessageParam): readonly string[] =>
  blocksOf(message).flatMap((block) => (block.type === 'text' ? [block.text] : []));

function announcedIn(text: string, at: number): Announcement | undefined {
  if (!text.includes('<item>') && !text.includes(NO_OPEN_ITEMS)) return undefined;
  const lines = text.split('\n');
  const line = lines.findLast((candidate) => candidate === NO_OPEN_ITEMS || isTagged(candidate, 'item'));
  if (line === undefined) return undefined;
  if (line === NO_OPEN_ITEMS) return { kind: 'no-open-items' };
  const item = read(Item, line, 'item');
  const carried = lines
    .filter((candidate) => isTagged(candidate, 'progress'))
    .map((each) => read(Progress, each, 'progress'));
  return { kind: 'item', item, at, before: carried.findLast(({ id }) => id === item.id) };
}

const isTagged = (line: string, tag: string): boolean => line.startsWith(`<${tag}>`) && line.endsWith(`</${tag}>`);

function read<S extends z.ZodType>(schema: S, line: string, tag: string): z.infer<S> {
  const result = schema.safeParse(parsed(line.slice(tag.length + 2, -(tag.length + 3))));
  if (result.success) return result.data;
  throw invalid(`messages: the model simulator cannot read the line ${line.slice(0, 200)}: ${faultsOf(result.error)}`);
}

const faultsOf = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ');

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
