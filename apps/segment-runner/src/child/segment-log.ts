import type { Recorded, RunEvent, RunId } from '#contracts';
import { type History, isFenced, replay, type SegmentEvent } from '#domain';
import { type Runs, WrongRevision } from '#log';
import { BatonError, newId, Unavailable } from '#platform';

/** The run has moved on to another segment, or to an end: stop at once and append nothing (law 3). */
export class Fenced extends BatonError {
  readonly code = 'fenced';
  readonly remedy = 'stand-down';
}

const LONGEST_PAUSE_MS = 2_000;

/**
 * The one writer of a segment (law 3).
 *
 * G1  Everything is appended at the expected revision, one append after the other.
 * G2  On a conflict the tail is read: if the run has moved on, the segment is fenced; else it folds in what came and
 *     decides again on the new state.
 * G3  An append whose answer was lost is repeated with the same event ids until the log says whether it was written; so
 *     is one whose conflict could not be looked into. A log that is away ends no process.
 */
export class SegmentLog {
  private queue: Promise<unknown> = Promise.resolve();
  private awaited = 0;

  constructor(
    private readonly runs: Runs<'segment-runner'>,
    readonly runId: RunId,
    readonly segment: number,
    private current: History,
  ) {}

  get history(): History {
    return this.current;
  }

  /** Whether something waits for the log's answer. */
  get isAwaited(): boolean {
    return this.awaited > 0;
  }

  /** Records what `decide` says of the newest state; nothing when it returns nothing. @throws Fenced */
  record(decide: (history: History) => readonly SegmentEvent[]): Promise<History> {
    return this.next(() => this.decideAndAppend(decide));
  }

  /** Folds in what others have recorded. @throws Fenced */
  glance(): Promise<History> {
    return this.next(async () => {
      await this.readTail([]);
      return this.current;
    });
  }

  private next<T>(work: () => Promise<T>): Promise<T> {
    this.awaited += 1;
    const result = this.queue.then(work).finally(() => {
      this.awaited -= 1;
    });
    this.queue = result.catch(() => undefined);
    return result;
  }

  private async decideAndAppend(decide: (history: History) => readonly SegmentEvent[]): Promise<History> {
    for (;;) {
      this.assertNotFenced();
      const events = decide(this.current);
      if (events.length === 0) return this.current;
      const ids = events.map(() => newId());
      if (await this.appended(events, ids)) return this.current;
    }
  }

  /** Whether the events are in the log now; false when others were first. */
  private async appended(events: readonly SegmentEvent[], ids: readonly string[]): Promise<boolean> {
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.appendedNow(events, ids);
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  private async appendedNow(events: readonly SegmentEvent[], ids: readonly string[]): Promise<boolean> {
    try {
      this.fold(await this.runs.append(this.runId, events, this.current.run.last.revision, ids));
      return true;
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
      return this.readTail(ids);
    }
  }

  /** Folds the tail; says whether events of these ids were in it. */
  private async readTail(ids: readonly string[]): Promise<boolean> {
    const tail: Recorded<RunEvent>[] = [];
    for await (const event of this.runs.events(this.runId, this.current.run.last.revision + 1)) tail.push(event);
    this.fold(tail);
    const written = tail.some(({ id }) => ids.includes(id));
    if (!written) this.assertNotFenced();
    return written;
  }

  private fold(events: readonly Recorded<RunEvent>[]): void {
    this.current = events.reduce<History>(replay, this.current);
  }

  /** @throws Fenced */
  assertNotFenced(): void {
    const { run } = this.current;
    if (isFenced(run, this.segment)) {
      throw new Fenced(`Segment ${this.segment} of ${this.runId} is over: the run is ${run.relay.phase}.`);
    }
  }
}
