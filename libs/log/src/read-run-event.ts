import { EventMetadata, type Recorded, type RunEvent, runEventSchemas } from '#contracts';
import { UnknownFact } from './errors.js';
import type { StoredEvent } from './event-log.js';

/**
 * Checks a stored event against the contracts.
 * @throws UnknownFact when its type, data or metadata cannot be read by this version.
 */
export function readRunEvent({ id, stream, revision, type, data, metadata }: StoredEvent): Recorded<RunEvent> {
  const schema = runEventSchemas.get(type);
  if (!schema) throw new UnknownFact(`${revision}@${stream} is a ${type}, which this version does not know.`);
  const event = schema.safeParse({ type, data });
  if (!event.success) throw new UnknownFact(`${revision}@${stream} (${type}) cannot be read: ${event.error.message}`);
  const known = EventMetadata.safeParse(metadata);
  if (!known.success)
    throw new UnknownFact(`The metadata of ${revision}@${stream} cannot be read: ${known.error.message}`);
  return { id, revision, event: event.data, metadata: known.data };
}
