import { comparePositions, type EventLog, followOn, type Position, type StoredEvent } from '#log';
import type { Logger } from '#platform';

/**
 * An index over the whole log, in memory, kept near its end by one subscription. It is only asked after `catchUp`, which
 * reads what the subscription has not brought yet: an answer never is older than its question.
 *
 * Both ways deliver in order and begin at or before `position`, so whatever lies at or before it has been applied.
 */
export class LogIndex {
  private position: Position | undefined;
  private readonly closing = new AbortController();
  private last: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly types: readonly string[],
    private readonly apply: (event: StoredEvent) => void,
    private readonly logger: Logger,
  ) {}

  /** One at a time: whoever asks meanwhile shares the next one, which begins after the question. @throws Unavailable when the log does not answer */
  catchUp(): Promise<void> {
    if (this.next) return this.next;
    const next = this.last.then(() => {
      this.next = undefined;
      return this.readOn();
    });
    this.next = next;
    this.last = next.catch(() => undefined);
    return next;
  }

  private async readOn(): Promise<void> {
    for await (const event of this.log.readAll(this.types, this.position)) this.take(event);
  }

  /** Keeps following until `close`, through every outage of the log. */
  async follow(): Promise<void> {
    const { log, types, logger } = this;
    for await (const delivery of followOn(log, types, this.position, { signal: this.closing.signal, logger })) {
      if (delivery.kind === 'event') this.take(delivery.event);
      else if (delivery.kind === 'checkpoint') this.advance(delivery.position);
    }
  }

  close(): void {
    this.closing.abort();
  }

  private take(event: StoredEvent): void {
    if (this.advance(event.position)) this.apply(event);
  }

  private advance(to: Position): boolean {
    if (this.position !== undefined && comparePositions(to, this.position) <= 0) return false;
    this.position = to;
    return true;
  }
}
