import { setTimeout as pause } from 'node:timers/promises';
import { type BlobRef, mediaBlockOf, type ResultBlock } from '#contracts';
import type { Blobs } from '#log';
import { type Logger, messageOf } from '#platform';
import type { CallKey } from '../journal/entries.js';
import type { WorkspaceRecord } from '../workspace-record.js';
import type { CallResult } from './call-results.js';

/** How long a result waits before it is offered again to a journal or blob store that would not take it. */
const AGAIN_MS = 500;
/** How often the blob store is asked to take a whole output before the result goes without it. */
const ATTEMPTS = 5;

/** Stores what results do not show as text, and names it in the log: the run collects a result perhaps days later. */
export class WholeOutputs {
  constructor(
    private readonly blobs: Blobs,
    private readonly record: WorkspaceRecord,
    private readonly logger: Logger,
  ) {}

  /** A result without its whole is better than none. */
  async keep({ runId, callId }: CallKey, whole: CallResult['whole']): Promise<BlobRef | undefined> {
    if (whole === undefined || 'digest' in whole) return whole;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      try {
        const stored = await this.blobs.put(whole.bytes, whole.mediaType);
        await this.record.append({
          type: 'OutputKept',
          data: { ...this.record.facts(runId), callId, whole: stored },
        });
        return stored;
      } catch (error) {
        this.logger.warn({ attempt, error: messageOf(error) }, 'a whole output could not be stored');
        await pause(AGAIN_MS, undefined, { ref: false });
      }
    }
    return undefined;
  }

  /** The images and documents of a result as the log names them; what cannot be stored is told. */
  async shown(call: CallKey, media: CallResult['media']): Promise<readonly ResultBlock[]> {
    const blocks: ResultBlock[] = [];
    for (const { bytes, mediaType, title } of media) {
      const blob = await this.keep(call, { bytes, mediaType });
      const text = `[${mediaType}, ${bytes.byteLength} bytes: it could not be stored, and so not be shown]`;
      blocks.push((blob && mediaBlockOf(blob, title)) ?? { type: 'text', text });
    }
    return blocks;
  }
}

/** Writes down what must not be forgotten, however long that takes. */
export async function insist(
  write: () => Promise<void>,
  failed: (error: unknown) => void = () => undefined,
): Promise<void> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      failed(error);
      await pause(AGAIN_MS, undefined, { ref: false });
    }
  }
}
