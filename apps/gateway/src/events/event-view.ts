import { EventView, type RunId } from '#contracts';
import { type StoredEvent, UnknownFact } from '#log';

/** An event as it is shown everywhere. @throws UnknownFact */
export function eventView(run: RunId, { revision, type, data, metadata }: StoredEvent): EventView {
  const view = EventView.safeParse({ run, revision, type, data, metadata });
  if (view.success) return view.data;
  throw new UnknownFact(`The event ${revision} of the run ${run} (${type}) cannot be read.`);
}
