import { type RecordedEvent, uuidText } from '../storage/event.js';

/** One event on its way through a group. */
export interface Message {
  /** By which a consumer settles it. */
  readonly id: string;
  /** As it stands in the group's stream: a link is not resolved yet. */
  readonly event: RecordedEvent;
  /** What to settle in the end: a place of the source, or a revision of the parked stream. */
  readonly origin: { readonly from: 'source' | 'parked'; readonly at: number };
  /** Read while the group had nothing else to read. */
  readonly live: boolean;
  /** How often it was sent before. */
  retries: number;
}

export const messageOf = (event: RecordedEvent, origin: Message['origin'], live: boolean): Message => ({
  id: uuidText(event.id),
  event,
  origin,
  live,
  retries: 0,
});
