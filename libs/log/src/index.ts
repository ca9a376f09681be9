export { BLOB_EVENTS, Blobs } from './blobs.js';
export { connectLog } from './connect-log.js';
export { LogRefused, RunContended, RunUnknown, UnknownFact, WrongRevision } from './errors.js';
export {
  type Appended,
  comparePositions,
  type Delivery,
  type EventLog,
  type Expected,
  type NewEvent,
  type Position,
  type StoredEvent,
  type StreamLimits,
  type Subscription,
} from './event-log.js';
export { type Finding, Findings } from './findings.js';
export { followOn, followStreamOn } from './follow-on.js';
export { type HandoffNote, HandoffNotes } from './handoff-notes.js';
export { HeardRuns } from './heard-runs.js';
export { createMemoryLog } from './memory-log.js';
export { OpenRunNotes, type OpenRunsNote, type Place } from './open-run-notes.js';
export { readRunEvent } from './read-run-event.js';
export { readRelayNews } from './relay-news.js';
export { RelayWatch, type RelayWatchOptions } from './relay-watch.js';
export { type Recorder, Runs, runIdOf } from './runs.js';
export { builtFrom, type Request, requestIn } from './verification.js';
