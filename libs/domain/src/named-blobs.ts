import type { BlobRef, ResultBlock, RunEvent } from '#contracts';
import { isMedia } from './media.js';

/** Of a file that comes with an agent nothing more is known. */
const SEED_TYPE = 'application/octet-stream';

/**
 * The blobs that an event names: attachments, files of the agent, what results show, whole outputs. What a model has
 * written into a call's input names none, whatever it looks like.
 */
export function namedBlobs({ type, data }: RunEvent): readonly BlobRef[] {
  switch (type) {
    case 'RunRequested':
      return [
        ...shown(data.attachments ?? []),
        ...data.agent.files.map(({ digest, bytes }) => ({ digest, bytes, mediaType: SEED_TYPE })),
      ];
    case 'MessageReceived':
      return shown(data.attachments ?? []);
    case 'ToolCallCompleted':
      return [...shown(data.content), ...(data.whole ? [data.whole] : [])];
    case 'ToolCallSettled':
      return shown(data.content);
    default:
      return [];
  }
}

const shown = (blocks: readonly ResultBlock[]): readonly BlobRef[] => blocks.filter(isMedia).map(({ blob }) => blob);
