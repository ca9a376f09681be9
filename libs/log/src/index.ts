export { Blobs } from './blobs.js';
export { RunContended, RunUnknown, UnknownFact, WrongRevision } from './errors.js';
export {
  type Appended,
  comparePositions,
  type Delivery,
  type EventLog,
  type Expected,
  type NewEvent,
  type Position,
  type StoredEvent,
  type Subscription,
} from './event-log.js';
export { followOn } from './follow-on.js';
export { readRelayNews } from './relay-news.js';
export { RelayWatch, type RelayWatchOptions } from './relay-watch.js';
