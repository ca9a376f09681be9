import type { EventLog } from '../storage/event-log.js';
import type { Reader } from '../storage/reader.js';
import { jsonEvent, writeNewest } from './journal.js';
import { placeIn } from './source.js';

const CHECKPOINT = '$SubscriptionCheckpoint';

/** How far a group had come, in a stream of its own that keeps the last two. */
export class Checkpoints {
  constructor(
    private readonly log: EventLog,
    private readonly reader: Reader,
    private readonly stream: string,
  ) {}

  /** The place of the last event of which it is known that it, and all before it, was settled. */
  load(): number | undefined {
    const state = this.log.streams.get(this.stream);
    const [newest] = this.reader.readStream(state, state.last, 'backwards', 1);
    const [, text = ''] = /^"?([^"]*)"?$/.exec(Buffer.from(newest?.data ?? []).toString('utf8')) ?? [];
    return placeIn(text);
  }

  write(text: string): Promise<void> {
    return writeNewest(this.log, this.stream, jsonEvent(CHECKPOINT, text));
  }
}
