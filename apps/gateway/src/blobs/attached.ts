import { Inject, Injectable } from '@nestjs/common';
import { type MediaBlock, MOST_MEDIA_BYTES, mediaTypeOf } from '#contracts';
import { Blobs, type EventLog } from '#log';
import { Unreadable } from '#platform';
import { type FieldFault, invalid } from '../http/problems.js';
import { EVENT_LOG } from '../tokens.js';

/** The images and documents that people send: what is recorded of them must be true, or the model is never shown them. */
@Injectable()
export class Attached {
  private readonly blobs: Blobs;

  constructor(@Inject(EVENT_LOG) log: EventLog) {
    this.blobs = new Blobs(log);
  }

  /** @throws ApiProblem 422 with what is wrong */
  async assert(attachments: readonly MediaBlock[] = []): Promise<void> {
    const faults: FieldFault[] = [];
    for (const [place, block] of attachments.entries()) {
      const message = await this.faultOf(block);
      if (message !== undefined) faults.push({ field: `attachments.${place}`, message });
    }
    if (faults.length > 0) throw invalid(...faults);
  }

  private async faultOf({ type, blob }: MediaBlock): Promise<string | undefined> {
    const most = MOST_MEDIA_BYTES[type];
    if (blob.bytes > most) return `${blob.bytes} bytes are more than a model can be shown (${most})`;
    const content = await this.contentOf(blob.digest);
    if (content === undefined) return `its content is not there: send it to PUT /v1/blobs/${blob.digest} first`;
    if (content.byteLength !== blob.bytes) return `it has ${content.byteLength} bytes, not ${blob.bytes}`;
    return kindFault(blob.mediaType, content);
  }

  private async contentOf(digest: string): Promise<Buffer | undefined> {
    try {
      return await this.blobs.get(digest);
    } catch (error) {
      if (error instanceof Unreadable) return undefined;
      throw error;
    }
  }
}

function kindFault(said: MediaBlock['blob']['mediaType'], content: Buffer): string | undefined {
  if (said === 'text/plain') return isSomeText(content) ? undefined : 'it is no text, or has no word in it';
  const found = mediaTypeOf(content);
  return found === said ? undefined : `it is said to be ${said}, but it is ${found ?? 'something else'}`;
}

function isSomeText(content: Buffer): boolean {
  try {
    return /\S/.test(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch {
    return false;
  }
}
