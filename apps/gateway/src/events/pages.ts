import { type EventPage, type EventView, type RunId, streams } from '#contracts';
import type { EventLog } from '#log';
import { noSuchRun } from '../http/problems.js';
import { eventView } from './event-view.js';

/** A page ends here even when fewer events were asked for than fit. */
const MOST_PAGE_BYTES = 8_000_000;

/** @throws ApiProblem 404 */
export async function pageOf(log: EventLog, run: RunId, from: number, limit: number): Promise<EventPage> {
  const events: EventView[] = [];
  let bytes = 0;
  let end = true;
  for await (const stored of log.read(streams.run(run), from, limit + 1)) {
    if (events.length === limit || bytes > MOST_PAGE_BYTES) {
      end = false;
      break;
    }
    events.push(eventView(run, stored));
    bytes += JSON.stringify(stored.data).length;
  }
  if (events.length === 0 && (await log.last(streams.run(run))) === undefined) throw noSuchRun(run);
  return { events, next: (events.at(-1)?.revision ?? from - 1) + 1, end };
}
