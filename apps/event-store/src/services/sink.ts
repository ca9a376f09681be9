import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Access } from '../access/access.js';
import type { Call } from '../grpc/call.js';
import type { RecordedEvent } from '../storage/event.js';
import type { EventLog } from '../storage/event-log.js';
import type { Reader } from '../storage/reader.js';

export interface Store {
  readonly log: EventLog;
  readonly reader: Reader;
  readonly access: Access;
  /** Bytes of data that one append may carry. */
  readonly maxAppend: number;
}

/** Where a reader gets its events, a page at a time, in the form that it asked for. */
export interface Sink {
  readonly call: Call;
  readonly send: (page: readonly RecordedEvent[]) => void;
  readonly sendMessage: (message: object) => void;
}

/** Between two pages others have their turn, and a slow client is waited for. */
export async function breathe(call: Call): Promise<void> {
  await call.drained();
  await nextTurn();
}
