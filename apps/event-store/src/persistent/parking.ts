import { linkTarget } from '../services/read-event.js';
import { wireRevision } from '../storage/event.js';
import type { EventLog } from '../storage/event-log.js';
import { isSoftDeleted, metastreamOf, withTruncation } from '../storage/policy.js';
import type { Reader } from '../storage/reader.js';
import { firstVisible } from '../storage/streams.js';
import { jsonEvent, written } from './journal.js';
import { type Message, messageOf } from './message.js';

/** So many replayed events may be settled before that is written down. */
const UNWRITTEN = 100;

/**
 * The events that a group has set aside, as links in a stream of its own.
 *
 * 1. An event that is parked is settled only once the link is recorded.
 * 2. A link is given up, by `$tb`, only once the event was replayed and settled again: what a crash interrupts is
 *    still parked.
 */
export class Parking {
  /** The first link that no replay has taken. */
  private next = 0;
  /** The running replay ends before this one. */
  private stop = 0;
  /** Taken by a replay and not settled yet, in order. */
  private readonly open = new Set<number>();
  private settled = 0;
  private truncating = false;

  constructor(
    private readonly log: EventLog,
    private readonly reader: Reader,
    readonly stream: string,
  ) {}

  /** @throws StreamEnded, StorageFailed: then it is not parked. */
  async park({ event, origin }: Message, reason: string): Promise<void> {
    const link = jsonEvent('$>', '', { added: new Date().toISOString(), reason, subscriptionEventNumber: origin.at });
    const data = Buffer.from(`${wireRevision(event.revision)}@${event.stream}`);
    const { stream } = this;
    await written(this.log.append({ stream, expected: 'any', events: [{ ...link, json: false, data }] }), stream);
  }

  /** How many are parked and not being replayed. */
  get count(): number {
    return Math.max(0, this.end - Math.max(this.first, this.next));
  }

  get replaying(): boolean {
    return this.open.size > 0 || this.next < this.stop;
  }

  /** Whether a replay has more to send. */
  get pending(): boolean {
    return this.next < this.stop;
  }

  /** Sends again what is parked now, up to this revision of the parked stream, which is left out. */
  replay(before: number | undefined): void {
    this.next = Math.max(this.next, this.first);
    this.stop = Math.max(this.stop, Math.min(before ?? this.end, this.end));
  }

  /** The next events of the running replay; those that are gone from their streams are passed over. */
  take(limit: number): Message[] {
    if (!this.pending) return [];
    const state = this.log.streams.get(this.stream);
    const links = this.reader
      .readStream(state, this.next, 'forwards', limit)
      .filter(({ revision }) => revision < this.stop);
    this.next = links.length < limit ? this.stop : (links.at(-1)?.revision ?? this.stop) + 1;
    const found = links.flatMap((link) => {
      const target = linkTarget(this.reader, link, () => true);
      return target ? [messageOf(target, { from: 'parked', at: link.revision }, false)] : [];
    });
    for (const { origin } of found) this.open.add(origin.at);
    if (found.length === 0) this.settle();
    return found;
  }

  settle(revision?: number): void {
    if (revision !== undefined && this.open.delete(revision)) this.settled += 1;
    if (!this.replaying || this.settled >= UNWRITTEN) void this.truncate();
  }

  private get end(): number {
    return this.log.streams.get(this.stream).last + 1;
  }

  private get first(): number {
    const state = this.log.streams.get(this.stream);
    return isSoftDeleted(state.policy) ? state.last + 1 : firstVisible(state);
  }

  /** Should it fail, the links stay and are truncated with the next ones. */
  private async truncate(): Promise<void> {
    const [lowest = this.next] = this.open;
    if (this.truncating || lowest <= this.first) return;
    this.truncating = true;
    this.settled = 0;
    const stream = metastreamOf(this.stream);
    const meta = this.log.streams.get(stream);
    const [present] = this.reader.readStream(meta, meta.last, 'backwards', 1);
    const metadata = { ...jsonEvent('$metadata', {}), data: withTruncation(present?.data, String(lowest)) };
    try {
      await this.log.append({ stream, expected: 'any', events: [metadata] });
    } catch {
      this.settled = UNWRITTEN;
    } finally {
      this.truncating = false;
    }
  }
}
