import { RELAY_EVENTS, type RunId } from '#contracts';
import { foldRelay, type RelayNews, rung, type Watched, watched } from '#domain';
import type { Clock, Logger } from '#platform';
import type { EventLog, StoredEvent } from './event-log.js';
import { followOn } from './follow-on.js';
import type { HeardRuns } from './heard-runs.js';
import { readRelayNews } from './relay-news.js';

export interface RelayWatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears each relay event that came after the watch had caught up; must not throw. */
  readonly onNews?: (runId: RunId, news: RelayNews) => void;
  /** Takes each relay event, before its news are told. */
  readonly heard?: HeardRuns;
}

/** All open runs as the log tells of them: a small entry each, and none for runs that have ended. */
export class RelayWatch {
  private readonly entries = new Map<RunId, Watched>();
  private readonly stopping = new AbortController();
  private readonly caughtUpOnce: Promise<void>;
  private tellCaughtUp: () => void = () => undefined;
  private caughtUp = false;
  private following: Promise<void> | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly options: RelayWatchOptions,
  ) {
    this.caughtUpOnce = new Promise((resolve) => {
      this.tellCaughtUp = resolve;
    });
  }

  start(): void {
    this.following ??= this.follow();
  }

  /** Resolves when all that was in the log at the start has been read; never, when the watch is stopped before. */
  ready(): Promise<void> {
    return this.caughtUpOnce;
  }

  isReady(): boolean {
    return this.caughtUp;
  }

  get open(): ReadonlyMap<RunId, Watched> {
    return this.entries;
  }

  /** Remembers that a doorbell was rung for the run. */
  noteRing(runId: RunId): void {
    const entry = this.entries.get(runId);
    if (entry) this.entries.set(runId, rung(entry, this.options.clock.monotonic()));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  private async follow(): Promise<void> {
    const { logger } = this.options;
    for await (const delivery of followOn(this.log, RELAY_EVENTS, undefined, {
      signal: this.stopping.signal,
      logger,
    })) {
      if (delivery.kind === 'event') this.take(delivery.event);
      if (delivery.kind === 'caught-up' && !this.caughtUp) this.begin();
    }
  }

  private take(stored: StoredEvent): void {
    const read = readRelayNews(stored);
    if (!read) {
      const { stream, revision, type } = stored;
      return this.options.logger.error({ stream, revision, type }, 'an event of the relay cannot be read');
    }
    const { runId, news } = read;
    const run = foldRelay(this.entries.get(runId)?.run, news);
    if (run) this.entries.set(runId, watched(run, this.options.clock.monotonic()));
    else this.entries.delete(runId);
    this.options.heard?.take(runId, stored, run !== undefined);
    if (this.caughtUp) this.options.onNews?.(runId, news);
  }

  /** Nobody is late before the watch itself was there. */
  private begin(): void {
    const now = this.options.clock.monotonic();
    for (const [runId, { run }] of this.entries) this.entries.set(runId, watched(run, now));
    this.caughtUp = true;
    this.tellCaughtUp();
  }
}
