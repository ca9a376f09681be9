import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type MediaBlock, MOST_MEDIA_BYTES, mediaBlockOf, mediaTypeOf } from '#contracts';
import { messageOf, sha256 } from '#platform';
import { Obstacle } from '../errors.js';
import type { Gateway } from './gateway.js';

/** Reads several values of one option, for commander. */
export const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

interface LocalFile {
  readonly block: MediaBlock;
  readonly content: Buffer<ArrayBuffer>;
}

/** Sends files that the model is to see, and answers how they are named. @throws Obstacle before anything is sent */
export async function attach(gateway: Gateway, files: readonly string[] = []): Promise<readonly MediaBlock[]> {
  const read = files.map(localFile);
  for (const { block, content } of read) await gateway.store(block.blob.digest, content);
  return read.map(({ block }) => block);
}

function localFile(file: string): LocalFile {
  const content = contentOf(file);
  const mediaType = mediaTypeOf(content) ?? 'text/plain';
  const blob = { digest: sha256(content), bytes: content.byteLength, mediaType };
  const block = mediaBlockOf(blob, basename(file).slice(0, 500));
  const isText = mediaType !== 'text/plain' || (!content.includes(0) && content.toString('utf8').trim() !== '');
  if (block && isText) return { block, content };
  throw new Obstacle(`${file} cannot be shown to a model: it takes PNG, JPEG, GIF, WebP, PDF and text.`);
}

function contentOf(file: string): Buffer<ArrayBuffer> {
  const most = Math.max(...Object.values(MOST_MEDIA_BYTES));
  try {
    const { size } = statSync(file);
    if (size <= most) return readFileSync(file);
  } catch (error) {
    throw new Obstacle(`${file} cannot be read: ${messageOf(error)}.`);
  }
  throw new Obstacle(`${file} is larger than a model can be shown (${most} bytes).`);
}
