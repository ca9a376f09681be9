import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type EventView, type RunId, streams } from '#contracts';
import type { EventLog, StoredEvent } from '#log';
import { BatonError, type Logger } from '#platform';
import { eventView } from '../events/event-view.js';
import { noSuchRun } from '../http/problems.js';
import { EVENT_LOG, LOGGER } from '../tokens.js';
import { Tail } from './tail.js';

/** What a viewer is shown. `ended`: the run's last event has been shown and is its end. */
export type Showing =
  | { readonly kind: 'event'; readonly event: EventView }
  | { readonly kind: 'caught-up'; readonly revision: number; readonly ended: boolean };

const PAGE = 200;
const RETRY_MS = 500;

interface Shared {
  readonly opening: Promise<Tail | undefined>;
  viewers: number;
}

/**
 * Shows runs to viewers: history from the log, then live, without gap or repeat.
 *
 * V1. A viewer is pulled along by what it can take: nothing is read before it has taken what came before.
 * V2. The next revision shown is always the last one plus one, whether it comes from the log or from the tail.
 */
@Injectable()
export class Viewings implements OnModuleDestroy {
  private readonly tails = new Map<RunId, Shared>();

  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Ends by the signal only; `caught-up` comes each time that the newest event has been shown.
   * @param from the first revision wanted
   * @throws ApiProblem 404, Unavailable when the log cannot be reached at the start
   */
  async *show(run: RunId, from: number, signal: AbortSignal): AsyncGenerator<Showing> {
    const shared = this.enter(run);
    try {
      const tail = await shared.opening;
      if (!tail) throw noSuchRun(run);
      yield* this.along(tail, run, from, signal);
    } finally {
      await this.leave(run, shared);
    }
  }

  onModuleDestroy(): void {
    for (const { opening } of this.tails.values()) {
      opening.then((tail) => tail?.close()).catch(() => undefined);
    }
  }

  private async *along(tail: Tail, run: RunId, from: number, signal: AbortSignal): AsyncGenerator<Showing> {
    let next = from;
    while (!signal.aborted) {
      const before = next;
      for await (const event of this.some(tail, run, next)) {
        // What a restarted log delivers again is passed over; a gap is filled at the next look.
        if (event.revision !== next) break;
        next += 1;
        yield { kind: 'event', event: eventView(run, event) };
        if (signal.aborted) return;
      }
      if (next > tail.revision) {
        yield { kind: 'caught-up', revision: next - 1, ended: tail.ended };
        await tail.moved(Math.max(next - 1, tail.revision), signal).catch(() => undefined);
      } else if (next === before) {
        await pause(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  /** Some of what comes next, from the tail's memory or from the log; nothing while the log is away. */
  private async *some(tail: Tail, run: RunId, next: number): AsyncGenerator<StoredEvent> {
    if (next > tail.revision) return;
    const recent = tail.from(next);
    try {
      if (recent.length > 0) yield* recent;
      else yield* this.log.read(streams.run(run), next, PAGE);
    } catch (error) {
      if (!(error instanceof BatonError && error.remedy === 'retry')) throw error;
    }
  }

  private enter(run: RunId): Shared {
    const present = this.tails.get(run) ?? { opening: Tail.open(this.log, run, this.logger), viewers: 0 };
    present.viewers += 1;
    this.tails.set(run, present);
    return present;
  }

  private async leave(run: RunId, shared: Shared): Promise<void> {
    shared.viewers -= 1;
    if (shared.viewers > 0) return;
    if (this.tails.get(run) === shared) this.tails.delete(run);
    const tail = await shared.opening.catch(() => undefined);
    tail?.close();
  }
}
