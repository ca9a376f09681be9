import { z } from 'zod';
import { Digest } from './ids.js';
import { JsonObject } from './json.js';

/** A large payload that lies in the blob store under its content hash. */
export const BlobRef = z.object({ digest: Digest, bytes: z.int().nonnegative(), mediaType: z.string() });
export type BlobRef = z.infer<typeof BlobRef>;

export const TextBlock = z.object({ type: z.literal('text'), text: z.string() });
export type TextBlock = z.infer<typeof TextBlock>;

/** The kinds of image that the model's API takes. */
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;
/** The kinds of document that the model's API takes. */
export const DOCUMENT_TYPES = ['application/pdf', 'text/plain'] as const;

/** A picture for the model; its bytes are loaded from the blob store when a request is sent. */
export const ImageBlock = z.object({
  type: z.literal('image'),
  blob: BlobRef.extend({ mediaType: z.enum(IMAGE_TYPES) }),
});
export type ImageBlock = z.infer<typeof ImageBlock>;

/** A document for the model; its bytes are loaded from the blob store when a request is sent. */
export const DocumentBlock = z.object({
  type: z.literal('document'),
  blob: BlobRef.extend({ mediaType: z.enum(DOCUMENT_TYPES) }),
  title: z.string().min(1).max(500).optional(),
});
export type DocumentBlock = z.infer<typeof DocumentBlock>;

/** What is no text: it lies in the blob store, and the log names it (law 7). */
export const MediaBlock = z.discriminatedUnion('type', [ImageBlock, DocumentBlock]);
export type MediaBlock = z.infer<typeof MediaBlock>;

/** The most that one of them may have, in bytes: what the model's API takes. */
export const MOST_MEDIA_BYTES: Readonly<Record<MediaBlock['type'], number>> = {
  image: 5 * 1_024 * 1_024,
  document: 16 * 1_024 * 1_024,
};
/** How many people may send at once. */
const MOST_ATTACHMENTS = 20;
export const Attachments = z.array(MediaBlock).max(MOST_ATTACHMENTS);

/** How files of a type begin, as Latin-1. */
const BEGINNINGS: readonly (readonly [MediaBlock['blob']['mediaType'], RegExp])[] = [
  ['image/png', /^\x89PNG\r\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
  ['application/pdf', /^%PDF-/],
];

/** What kind of image or document the bytes are, by themselves: names and headers are only said. */
export function mediaTypeOf(bytes: Uint8Array): MediaBlock['blob']['mediaType'] | undefined {
  const beginning = String.fromCharCode(...bytes.subarray(0, 16));
  return BEGINNINGS.find(([, pattern]) => pattern.test(beginning))?.[0];
}

/** The block that shows a blob; undefined when a model cannot be shown its type. */
export function mediaBlockOf(blob: BlobRef, title?: string): MediaBlock | undefined {
  const type = blob.mediaType.startsWith('image/') ? 'image' : 'document';
  const named = type === 'document' && title !== undefined ? { title } : {};
  return MediaBlock.safeParse({ type, blob, ...named }).data;
}

/** What a tool's result or a person's message may hold. */
export const ResultBlock = z.discriminatedUnion('type', [TextBlock, ImageBlock, DocumentBlock]);
export type ResultBlock = z.infer<typeof ResultBlock>;

/** The model's own reasoning; `signature` goes back unchanged on the next turn. */
const ThinkingBlock = z.object({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() });
const RedactedThinkingBlock = z.object({ type: z.literal('redacted_thinking'), data: z.string() });

/** A tool call as the model asked for it. `id` is the model's; Baton's own name for the call is its `CallId`. */
export const ToolUseBlock = z.object({
  type: z.literal('tool_use'),
  id: z.string().min(1),
  name: z.string().min(1),
  input: JsonObject,
});
export type ToolUseBlock = z.infer<typeof ToolUseBlock>;

/** What a model may say in a turn. */
export const ModelBlock = z.discriminatedUnion('type', [TextBlock, ThinkingBlock, RedactedThinkingBlock, ToolUseBlock]);
export type ModelBlock = z.infer<typeof ModelBlock>;

/** An answer to a tool call; `toolUseId` is the model's id of the call. */
export interface ToolResultBlock {
  readonly type: 'tool_result';
  readonly toolUseId: string;
  readonly content: readonly ResultBlock[];
  readonly isError: boolean;
}

/** One message of the context that the model sees. */
export type ContextMessage =
  | { readonly role: 'user'; readonly content: readonly (ResultBlock | ToolResultBlock)[] }
  | { readonly role: 'assistant'; readonly content: readonly ModelBlock[] };

export const Usage = z.object({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  cacheReadTokens: z.int().nonnegative(),
  cacheWriteTokens: z.int().nonnegative(),
});
export type Usage = z.infer<typeof Usage>;

export const StopReason = z.enum(['end_turn', 'tool_use', 'max_tokens', 'stop_sequence', 'refusal', 'pause_turn']);
export type StopReason = z.infer<typeof StopReason>;
