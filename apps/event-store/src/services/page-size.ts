import type { RecordedEvent } from '../storage/event.js';

/** While a page is made nothing is sent: with larger ones a client that reads has used up what it was sent before. */
const LARGEST = 64;
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
