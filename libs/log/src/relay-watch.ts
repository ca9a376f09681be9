import { RELAY_EVENTS, type RunId } from '#contracts';
import { foldRelay, type RelayNews, rung, type Watched, watched } from '#domain';
import { type Clock, type Logger, persist } from '#platform';
import type { EventLog, Position, StoredEvent } from './event-log.js';
import { followOn } from './follow-on.js';
import type { HeardRuns } from './heard-runs.js';
import { OpenRunNotes, type OpenRunsNote, type Place } from './open-run-notes.js';
import { readRelayNews } from './relay-news.js';

export interface RelayWatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears each relay event that came after the watch had caught up; must not throw. */
  readonly onNews?: (runId: RunId, news: RelayNews) => void;
  /** Takes each relay event, before its news are told. */
  readonly heard?: HeardRuns;
}

/**
 * All open runs as the log tells of them: a small entry each, and none for runs that have ended. It begins at the newest
 * note of open runs, if there is one, and reads all relay events after it.
 */
export class RelayWatch {
  private readonly entries = new Map<RunId, Watched>();
  private readonly stopping = new AbortController();
  private readonly caughtUpOnce: Promise<void>;
  private tellCaughtUp: () => void = () => undefined;
  private caughtUp = false;
  private following: Promise<void> | undefined;
  /** The last event that was read. */
  private last: Place | undefined;
  private read = 0;
  /** An event of the relay could not be read: another version may know better. */
  private doubts = false;

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

  /** How many relay events it has read since it began. */
  get eventsRead(): number {
    return this.read;
  }

  /** What is open now, for those who start later; undefined while that is not known for certain. */
  note(): OpenRunsNote | undefined {
    if (!this.caughtUp || this.doubts || this.last === undefined) return undefined;
    const { position, stream, revision } = this.last;
    return {
      upTo: { position, stream, revision },
      runs: [...this.entries].map(([runId, { run }]) => [runId, run] as const),
    };
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  private async follow(): Promise<void> {
    const { logger } = this.options;
    const { signal } = this.stopping;
    const after = await this.beginAtNote();
    for await (const delivery of followOn(this.log, RELAY_EVENTS, after, { signal, logger })) {
      if (delivery.kind === 'event') this.take(delivery.event);
      if (delivery.kind === 'caught-up' && !this.caughtUp) this.begin();
    }
  }

  /** @returns where to read on */
  private async beginAtNote(): Promise<Position | undefined> {
    const { clock, logger } = this.options;
    const { signal } = this.stopping;
    const doing = 'reading which runs were open';
    const note = await persist(() => new OpenRunNotes(this.log).newest(), { doing, logger, signal }).catch(
      () => undefined,
    );
    const now = clock.monotonic();
    for (const [runId, run] of note?.runs ?? []) this.entries.set(runId, watched(run, now));
    this.last = note?.upTo;
    return note?.upTo.position;
  }

  private take(stored: StoredEvent): void {
    this.last = stored;
    this.read += 1;
    const gist = readRelayNews(stored);
    if (!gist) {
      const { stream, revision, type } = stored;
      this.doubts = true;
      return this.options.logger.error({ stream, revision, type }, 'an event of the relay cannot be read');
    }
    const { runId, news } = gist;
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
