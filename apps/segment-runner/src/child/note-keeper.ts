import { momentOf } from '#contracts';
import type { History } from '#domain';
import type { HandoffNotes } from '#log';
import { type Clock, type Logger, messageOf } from '#platform';
import type { SegmentLog } from './segment-log.js';

/** After so many events a note is due, however small the last one was. */
export const EVENTS_A_NOTE = 100;
/** What an event takes in the log at the least, in bytes: so all notes together never take more than the events do (law 7). */
const BYTES_AN_EVENT = 400;

/**
 * Leaves the notes of a segment: now and then while it works, so that whoever takes over after a crash reads a short
 * tail, and at its end.
 *
 * N1  The loop never waits for a note that is left on the way; one is left at a time.
 * N2  A note that could not be left costs nothing but a longer tail.
 */
export class NoteKeeper {
  private dueAfter = EVENTS_A_NOTE;
  private leaving: Promise<void> | undefined;

  constructor(
    private readonly notes: Pick<HandoffNotes, 'leave'>,
    private readonly segmentLog: SegmentLog,
    private readonly around: { readonly clock: Clock; readonly logger: Logger },
    /** The revision of the newest note, by this segment or an earlier one: what crashed has left none. */
    private noted: number,
  ) {}

  /** To be called after everything that is recorded. */
  recorded(): void {
    if (this.leaving === undefined && this.revision - this.noted >= this.dueAfter) void this.leaveNow();
  }

  /** Resolves when there is a note of the newest state, or none could be left. */
  async leave(): Promise<void> {
    await this.leaving;
    await this.leaveNow();
  }

  private get revision(): number {
    return this.segmentLog.history.run.last.revision;
  }

  private leaveNow(): Promise<void> {
    const { history } = this.segmentLog;
    const { revision } = history.run.last;
    this.leaving = this.attempt(history).finally(() => {
      this.noted = revision;
      this.leaving = undefined;
    });
    return this.leaving;
  }

  private async attempt(history: History): Promise<void> {
    const { runId, segment } = this.segmentLog;
    try {
      const bytes = await this.notes.leave(runId, history, { segment, at: momentOf(this.around.clock.now()) });
      this.dueAfter = Math.max(EVENTS_A_NOTE, bytes / BYTES_AN_EVENT);
    } catch (error) {
      this.around.logger.debug({ runId, segment, error: messageOf(error) }, 'no handoff note could be left');
    }
  }
}
