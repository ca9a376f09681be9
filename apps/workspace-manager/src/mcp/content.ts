import { ContentBlockSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { type Attachment, type RawResult, rawResult } from '../tools/call-results.js';
import { mediaOf } from '../tools/media.js';

/** What a server answers to a call. Content is read piece by piece: one piece of rubbish does not hide the others. */
export const ToolAnswer = z.object({
  content: z.array(z.unknown()).default([]),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().default(false),
});

/** What of one answer is shown as images and documents at most. */
const MOST_MEDIA = 20;

/** The texts of an answer, and its images and documents; what a model cannot be shown is described as what it is. */
export function answerResult({ content, structuredContent, isError }: z.infer<typeof ToolAnswer>): RawResult {
  const pieces = content.map(pieceOf);
  const media = pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece]));
  const texts = pieces.flatMap((piece) => (typeof piece === 'string' ? [piece] : []));
  const structured =
    pieces.length === 0 && structuredContent !== undefined ? [JSON.stringify(structuredContent, null, 2)] : [];
  const notes =
    media.length > MOST_MEDIA ? [`only ${MOST_MEDIA} of ${media.length} images and documents are shown`] : [];
  return {
    ...rawResult(isError ? 'error' : 'ok', [...texts, ...structured].join('\n'), notes),
    media: media.slice(0, MOST_MEDIA),
  };
}

function pieceOf(piece: unknown): string | Attachment {
  const block = ContentBlockSchema.safeParse(piece).data;
  switch (block?.type) {
    case 'text':
      return block.text;
    case 'image':
    case 'audio':
      return shownOrTold(`${block.type}, ${block.mimeType}`, block.data);
    case 'resource_link':
      return `[link to ${block.name}: ${block.uri}]`;
    case 'resource': {
      const { resource } = block;
      if ('text' in resource) return `[${resource.uri}]\n${resource.text}`;
      return shownOrTold(`${resource.uri}, ${resource.mimeType ?? 'unknown type'}`, resource.blob, resource.uri);
    }
    case undefined:
      return '[a piece of content that cannot be read]';
  }
}

const TITLE_CHARACTERS = 500;

/** Bytes are believed, not what is said of them. */
function shownOrTold(what: string, base64: string, title?: string): string | Attachment {
  const bytes = Buffer.from(base64, 'base64');
  const media = mediaOf(bytes, title?.slice(0, TITLE_CHARACTERS));
  if (media && bytes.byteLength <= media.limit) return media.attachment;
  return `[${what}, ${bytes.byteLength} bytes: not shown]`;
}
