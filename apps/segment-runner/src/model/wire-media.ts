import type Anthropic from '@anthropic-ai/sdk';
import type { DocumentBlock, ImageBlock } from '#contracts';
import { BatonError, messageOf } from '#platform';
import { ModelFailure } from './model-failure.js';

/** Reads the content of a blob by its digest. */
export type LoadBlob = (digest: string) => Promise<Uint8Array>;

/** The contents of blobs by their digests. */
export type Media = ReadonlyMap<string, Uint8Array>;

type MediaBlock = ImageBlock | DocumentBlock;

/**
 * Loads what a request shows, one after the other: each may be megabytes.
 * @throws ModelFailure which says what is missing.
 */
export async function loadMedia(blocks: readonly MediaBlock[], load: LoadBlob): Promise<Media> {
  const media = new Map<string, Uint8Array>();
  for (const { type, blob } of blocks) {
    if (!media.has(blob.digest)) media.set(blob.digest, await loaded(type, blob.digest, load));
  }
  return media;
}

async function loaded(type: MediaBlock['type'], digest: string, load: LoadBlob): Promise<Uint8Array> {
  try {
    return await load(digest);
  } catch (cause) {
    const passes = cause instanceof BatonError && cause.remedy === 'retry';
    throw new ModelFailure(
      passes ? 'server-error' : 'invalid-request',
      `The ${type} ${digest} that the model is to see cannot be loaded: ${messageOf(cause)}`,
      { cause },
    );
  }
}

export function toWireMedia(block: MediaBlock, media: Media): Anthropic.ImageBlockParam | Anthropic.DocumentBlockParam {
  const bytes = Buffer.from(media.get(block.blob.digest) ?? []);
  if (block.type === 'image') {
    return {
      type: 'image',
      source: { type: 'base64', media_type: block.blob.mediaType, data: bytes.toString('base64') },
    };
  }
  const { mediaType } = block.blob;
  const source =
    mediaType === 'text/plain'
      ? { type: 'text' as const, media_type: mediaType, data: bytes.toString() }
      : { type: 'base64' as const, media_type: mediaType, data: bytes.toString('base64') };
  return { type: 'document', source, ...(block.title === undefined ? {} : { title: block.title }) };
}
