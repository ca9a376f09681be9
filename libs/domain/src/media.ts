import type { ContextMessage, MediaBlock, ResultBlock } from '#contracts';
import { mediaNotice } from './notices.js';
import type { Run } from './run.js';

/** A plain estimate where no count is given: four characters a token. */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4);

/** About what the largest image takes, and what a page of a document takes with its picture. */
const IMAGE_TOKENS = 1_600;
const PAGE_TOKENS = 3_000;
const PAGE_BYTES = 50_000;

export function blockTokens(block: ResultBlock): number {
  if (block.type === 'text') return tokensOf(block.text);
  if (block.type === 'image') return IMAGE_TOKENS;
  const { bytes, mediaType } = block.blob;
  return mediaType === 'text/plain' ? Math.ceil(bytes / 4) : PAGE_TOKENS * Math.ceil(bytes / PAGE_BYTES);
}

export const isMedia = (block: { readonly type: string }): block is MediaBlock =>
  block.type === 'image' || block.type === 'document';

/** What all images and documents of one request may have together, in bytes: the API takes 32 MB, written as base64. */
const MOST_BYTES = 20 * 1_024 * 1_024;
/** The part of the model's window that they may take when they come. */
const MOST_OF_WINDOW = 0.5;

const windowOf = ({ agent }: Pick<Run, 'agent'>): number => MOST_OF_WINDOW * agent.spec.model.contextTokens;

/** Why these cannot be shown to a model with such a window; undefined when they can. */
export function tooMuchToShow(run: Pick<Run, 'agent'>, media: readonly MediaBlock[]): string | undefined {
  const bytes = media.reduce((sum, { blob }) => sum + blob.bytes, 0);
  const tokens = media.reduce((sum, block) => sum + blockTokens(block), 0);
  if (bytes > MOST_BYTES) return `${bytes} bytes are more than a model can be shown at once (${MOST_BYTES})`;
  if (tokens <= windowOf(run)) return undefined;
  return `about ${tokens} tokens are more than half of the model's window of ${run.agent.spec.model.contextTokens}`;
}

/** A result as the model can be shown it: of what would not fit into its window it is told. */
export const shownBlocks = (run: Run, content: readonly ResultBlock[]): ResultBlock[] =>
  content.map((block) => (isMedia(block) && tooMuchToShow(run, [block]) ? saying(block, 'too-large') : block));

const saying = (block: MediaBlock, why: Parameters<typeof mediaNotice>[1]): ResultBlock => ({
  type: 'text',
  text: mediaNotice(block, why),
});

/** Without images and documents, because the model's API does not take them as they are. */
export const withoutMedia = (content: readonly ResultBlock[]): ResultBlock[] =>
  content.map((block) => (isMedia(block) ? saying(block, 'refused') : block));

/** Whether there is an image or a document in it, or in a result in it. */
const showsMedia = ({ content }: ContextMessage): boolean =>
  content.some((block) => (block.type === 'tool_result' ? block.content.some(isMedia) : isMedia(block)));

/** The messages with the newest images and documents that fit into one request; the older ones are told. */
export function withinBytes(messages: readonly ContextMessage[]): readonly ContextMessage[] {
  if (!messages.some(showsMedia)) return messages;
  let left = MOST_BYTES;
  const kept = (block: ResultBlock): ResultBlock => {
    if (!isMedia(block)) return block;
    left -= block.blob.bytes;
    return left < 0 ? saying(block, 'dropped') : block;
  };
  const newestFirst = <T>(list: readonly T[], change: (entry: T) => T): T[] =>
    list.toReversed().map(change).toReversed();
  const ofMessage = (message: ContextMessage): ContextMessage => {
    if (message.role !== 'user') return message;
    const before = left;
    const content = newestFirst(message.content, (block) =>
      block.type === 'tool_result' ? { ...block, content: newestFirst(block.content, kept) } : kept(block),
    );
    return left < 0 && left !== before ? { role: 'user', content } : message;
  };
  return newestFirst(messages, ofMessage);
}
