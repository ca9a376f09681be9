import { ContentBlockSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { type RawResult, rawResult } from '../tools/call-results.js';

/** What a server answers to a call. Content is read piece by piece: one piece of rubbish does not hide the others. */
export const ToolAnswer = z.object({
  content: z.array(z.unknown()).default([]),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().default(false),
});

/** The texts of an answer; what is not text is described as what it is. */
export function answerResult({ content, structuredContent, isError }: z.infer<typeof ToolAnswer>): RawResult {
  const texts = content.map(textOf);
  const structured =
    texts.length === 0 && structuredContent !== undefined ? [JSON.stringify(structuredContent, null, 2)] : [];
  return rawResult(isError ? 'error' : 'ok', [...texts, ...structured].join('\n'));
}

function textOf(piece: unknown): string {
  const block = ContentBlockSchema.safeParse(piece).data;
  switch (block?.type) {
    case 'text':
      return block.text;
    case 'image':
    case 'audio':
      return `[${block.type}, ${block.mimeType}, ${bytesOf(block.data)} bytes: not shown]`;
    case 'resource_link':
      return `[link to ${block.name}: ${block.uri}]`;
    case 'resource': {
      const { resource } = block;
      if ('text' in resource) return `[${resource.uri}]\n${resource.text}`;
      return `[${resource.uri}, ${resource.mimeType ?? 'unknown type'}, ${bytesOf(resource.blob)} bytes: not shown]`;
    }
    case undefined:
      return '[a piece of content that cannot be read]';
  }
}

const bytesOf = (base64: string): number => Buffer.byteLength(base64, 'base64');
