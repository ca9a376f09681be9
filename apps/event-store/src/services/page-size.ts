import type { RecordedEvent } from '../storage/event.js';

const LARGEST = 512;
const FIRST = 32;
/** Bytes that a page should have: enough to be quick, little enough for many readers at once. */
const AIM = 512 * 1024;

/** How many events to read at a time: fewer when they are large. */
export class PageSize {
  limit = FIRST;

  learn(events: readonly RecordedEvent[]): void {
    if (events.length === 0) return;
    const bytes = events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length + 200, 0);
    this.limit = Math.max(1, Math.min(LARGEST, Math.floor((AIM * events.length) / bytes)));
  }
}
