import { setTimeout as pause } from 'node:timers/promises';
import { comparePositions, type EventLog, type Position, type StoredEvent, type Subscription } from '#log';
import { type Logger, messageOf } from '#platform';

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * An index over the whole log, in memory, kept near its end by one subscription. It is only asked after `catchUp`, which
 * reads what the subscription has not brought yet: an answer never is older than its question.
 *
 * Both ways deliver in order and begin at or before `position`, so whatever lies at or before it has been applied.
 */
export class LogIndex {
  private position: Position | undefined;
  private subscription: Subscription<unknown> | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly log: EventLog,
    private readonly types: readonly string[],
    private readonly apply: (event: StoredEvent) => void,
    private readonly logger: Logger,
  ) {}

  /** @throws Unavailable when the log does not answer */
  async catchUp(): Promise<void> {
    for await (const event of this.log.readAll(this.types, this.position)) this.take(event);
  }

  /** Keeps following until `close`, through every outage of the log. */
  async follow(): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; !this.closing.signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        await this.followOnce(() => {
          waitMs = FIRST_WAIT_MS;
        });
      } catch (error) {
        this.logger.debug({ reason: messageOf(error) }, 'following the log was cut; trying again');
      }
      await pause(waitMs, undefined, { signal: this.closing.signal, ref: false }).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.subscription?.close();
  }

  private async followOnce(onDelivery: () => void): Promise<void> {
    const subscription = this.log.followAll(this.types, this.position);
    this.subscription = subscription;
    for await (const delivery of subscription) {
      onDelivery();
      if (delivery.kind === 'event') this.take(delivery.event);
      else if (delivery.kind === 'checkpoint') this.advance(delivery.position);
      if (this.closing.signal.aborted) break;
    }
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
