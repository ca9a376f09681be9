import { BatonError } from '#platform';
import type { ProposedEvent } from '../storage/event.js';
import type { AppendOutcome, EventLog } from '../storage/event-log.js';
import { metastreamOf } from '../storage/policy.js';

/** A stream that a group writes to was ended for ever by somebody. */
class StreamEnded extends BatonError {
  readonly code = 'stream-ended';
  readonly remedy = 'tell';
}

export function jsonEvent(type: string, data: unknown, metadata?: unknown): ProposedEvent {
  return {
    id: crypto.getRandomValues(new Uint8Array(16)),
    type,
    json: true,
    data: Buffer.from(JSON.stringify(data)),
    metadata: metadata === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(metadata)),
  };
}

/** Resolves when the events are recorded. @throws StreamEnded, StorageFailed */
export async function written(append: Promise<AppendOutcome>, stream: string): Promise<void> {
  const { kind } = await append;
  if (kind !== 'appended') throw new StreamEnded(`${stream} cannot be written (${kind}): was it tombstoned?`);
}

/** For a stream of which only the newest event counts. @throws StreamEnded, StorageFailed */
export async function writeNewest(log: EventLog, stream: string, event: ProposedEvent): Promise<void> {
  const metastream = metastreamOf(stream);
  const limit = jsonEvent('$metadata', { $maxCount: 2 });
  await Promise.all([
    written(log.append({ stream, expected: 'any', events: [event] }), stream),
    ...(log.streams.get(metastream).last < 0
      ? [log.append({ stream: metastream, expected: 'any', events: [limit] })]
      : []),
  ]);
}
