import { type RunId, TERMINAL_EVENTS } from '#contracts';
import { type EventLog, followOn, readRelayNews } from '#log';
import { type Logger, messageOf, persist } from '#platform';

export interface EndsParts {
  readonly log: EventLog;
  readonly logger: Logger;
  /** Hears of each run that ends from now on; what it misses, the next tidying finds. */
  readonly onEnd: (runId: RunId) => Promise<unknown>;
}

/** Hears from the log that runs have ended, so that nothing runs on for them until the next tidying. */
export class Ends {
  private readonly stopping = new AbortController();

  constructor(private readonly parts: EndsParts) {}

  start(): void {
    this.follow().catch((error: unknown) => {
      if (!this.stopping.signal.aborted) this.parts.logger.error({ error: messageOf(error) }, 'ends are not heard of');
    });
  }

  stop(): void {
    this.stopping.abort();
  }

  private async follow(): Promise<void> {
    const { log, logger } = this.parts;
    const { signal } = this.stopping;
    const after = await persist(() => log.end(), { doing: 'finding the end of the log', logger, signal });
    for await (const delivery of followOn(log, TERMINAL_EVENTS, after, { signal, logger })) {
      const runId = delivery.kind === 'event' ? readRelayNews(delivery.event)?.runId : undefined;
      if (runId) void this.tell(runId);
    }
  }

  private async tell(runId: RunId): Promise<void> {
    try {
      await this.parts.onEnd(runId);
    } catch (error) {
      this.parts.logger.warn({ run: runId, error: messageOf(error) }, 'a workspace is released by the next tidying');
    }
  }
}
