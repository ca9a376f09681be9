import { basename } from 'node:path';
import { MOST_MEDIA_BYTES, mediaTypeOf } from '#contracts';
import { type Attachment, type RawResult, rawResult } from './call-results.js';

/** What bytes are as an image or a document, and whether a model can be shown so many; undefined when they are neither. */
export function mediaOf(
  bytes: Buffer,
  title?: string,
): { readonly attachment: Attachment; readonly limit: number } | undefined {
  const mediaType = mediaTypeOf(bytes);
  if (mediaType === undefined) return undefined;
  const limit = MOST_MEDIA_BYTES[mediaType.startsWith('image/') ? 'image' : 'document'];
  return { attachment: { bytes, mediaType, ...(title !== undefined && { title }) }, limit };
}

/** A file as the model is shown it: an image or a PDF as such, anything else as text. */
export function fileResult(path: string, content: Buffer): RawResult {
  const media = mediaOf(content, basename(path));
  if (media === undefined) return rawResult('ok', content);
  const { attachment, limit } = media;
  if (content.byteLength <= limit) return { ...rawResult('ok', ''), media: [attachment] };
  const { mediaType } = attachment;
  return rawResult(
    'error',
    `${path} is ${mediaType} of ${content.byteLength} bytes; at most ${limit} can be shown. Make it smaller with a command.`,
  );
}
