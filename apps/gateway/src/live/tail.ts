import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type RunId, streams, TERMINAL_EVENTS } from '#contracts';
import type { EventLog, StoredEvent, Subscription } from '#log';
import { type Logger, messageOf } from '#platform';

const MOST_EVENTS = 512;
const MOST_BYTES = 4_000_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 3_000;

/**
 * The live end of one run's stream, shared by all who watch it: one subscription, and the newest events for those who
 * keep up. Whoever falls behind reads the log, so no viewer costs memory.
 */
export class Tail {
  private readonly recent: { readonly event: StoredEvent; readonly bytes: number }[] = [];
  private bytes = 0;
  private latest: { readonly revision: number; readonly type: string };
  private subscription: Subscription<unknown> | undefined;
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
    void this.subscription?.close();
  }

  private async follow(): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; !this.closing.signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        await this.followOnce(() => {
          waitMs = FIRST_WAIT_MS;
        });
      } catch (error) {
        this.logger.debug({ stream: this.stream, reason: messageOf(error) }, 'following was cut; trying again');
      }
      await pause(waitMs, undefined, { signal: this.closing.signal, ref: false }).catch(() => undefined);
    }
  }

  private async followOnce(onDelivery: () => void): Promise<void> {
    const subscription = this.log.follow(this.stream, this.latest.revision);
    this.subscription = subscription;
    for await (const delivery of subscription) {
      onDelivery();
      if (delivery.kind === 'event') this.take(delivery.event);
      if (this.closing.signal.aborted) return;
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
