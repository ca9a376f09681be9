import { EventEmitter, once } from 'node:events';
import { type RunId, streams, TERMINAL_EVENTS } from '#contracts';
import { type EventLog, followStreamOn, type StoredEvent } from '#log';
import type { Logger } from '#platform';

const MOST_EVENTS = 512;
const MOST_BYTES = 4_000_000;

/**
 * The live end of one run's stream, shared by all who watch it: one subscription, and the newest events for those who
 * keep up. Whoever falls behind reads the log, so no viewer costs memory.
 */
export class Tail {
  private readonly recent: { readonly event: StoredEvent; readonly bytes: number }[] = [];
  private bytes = 0;
  private latest: { readonly revision: number; readonly type: string };
  private readonly closing = new AbortController();
  private readonly changes = new EventEmitter().setMaxListeners(0);

  private constructor(
    private readonly log: EventLog,
    private readonly stream: string,
    newest: StoredEvent,
    private readonly logger: Logger,
  ) {
    this.latest = newest;
    void this.follow();
  }

  /** Undefined when there is no such run. @throws Unavailable */
  static async open(log: EventLog, run: RunId, logger: Logger): Promise<Tail | undefined> {
    const stream = streams.run(run);
    const newest = await log.last(stream);
    return newest && new Tail(log, stream, newest, logger);
  }

  get revision(): number {
    return this.latest.revision;
  }

  get ended(): boolean {
    return (TERMINAL_EVENTS as readonly string[]).includes(this.latest.type);
  }

  /** The events from a revision on, when they are still remembered. */
  from(revision: number): readonly StoredEvent[] {
    const first = this.recent[0]?.event.revision;
    return first === undefined || revision < first ? [] : this.recent.slice(revision - first).map(({ event }) => event);
  }

  /** Resolves when something has come since `revision`; rejects when the signal aborts. */
  async moved(revision: number, signal: AbortSignal): Promise<void> {
    if (this.latest.revision <= revision) await once(this.changes, 'event', { signal });
  }

  close(): void {
    this.closing.abort();
  }

  private async follow(): Promise<void> {
    const { log, stream, logger } = this;
    const following = { signal: this.closing.signal, logger };
    for await (const delivery of followStreamOn(log, stream, this.latest.revision, following)) {
      if (delivery.kind === 'event') this.take(delivery.event);
    }
  }

  private take(event: StoredEvent): void {
    if (event.revision <= this.latest.revision) return;
    const bytes = JSON.stringify(event.data).length;
    this.recent.push({ event, bytes });
    this.bytes += bytes;
    while (this.recent.length > MOST_EVENTS || this.bytes > MOST_BYTES) this.bytes -= this.recent.shift()?.bytes ?? 0;
    this.latest = event;
    this.changes.emit('event');
  }
}
