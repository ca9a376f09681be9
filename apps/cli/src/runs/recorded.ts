import { type EventView, type Recorded, type RunEvent, runEventSchemas } from '#contracts';
import { Unreadable } from '#platform';

/**
 * An event as the folds take it.
 * @throws Unreadable when this version does not know it.
 */
export function recordedOf({ run, revision, type, data, metadata }: EventView): Recorded<RunEvent> {
  const event = runEventSchemas.get(type)?.safeParse({ type, data });
  if (event?.success) return { id: `${run}/${revision}`, revision, event: event.data, metadata };
  throw new Unreadable(
    `Event ${revision} of run ${run} (${type}) cannot be read by this version: use the \`baton\` of the same version as the gateway.`,
  );
}
