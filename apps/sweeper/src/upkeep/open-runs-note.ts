import { momentOf } from '#contracts';
import type { OpenRunNotes, RelayWatch } from '#log';
import type { Clock } from '#platform';

/** How many relay events whoever starts may have to read, besides those of one round. */
const EVENTS_BETWEEN = 10_000;

export interface OpenRunsNoteParts {
  readonly notes: Pick<OpenRunNotes, 'leave' | 'end'>;
  readonly watch: Pick<RelayWatch, 'eventsRead' | 'note'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly id: string;
}

/**
 * Leaves a note of the open runs whenever much has happened since the last one, so that a start takes as long as there are
 * open runs, not as there ever were runs. Of several sweepers the first one leaves it.
 */
export class OpenRunsNoteKeeper {
  private readAtNote = 0;
  /** The newest note when it was last looked; looked at only when one is due, since a note may be large. */
  private known: { readonly end: number | undefined } | undefined;

  constructor(
    private readonly parts: OpenRunsNoteParts,
    private readonly eventsBetween = EVENTS_BETWEEN,
  ) {}

  /** @returns whether it left a note @throws Unavailable */
  async round(): Promise<boolean> {
    const { notes, watch, clock, id } = this.parts;
    const known = this.known ?? { end: await notes.end() };
    this.known = known;
    const { eventsRead } = watch;
    const note = eventsRead - this.readAtNote < this.eventsBetween ? undefined : watch.note();
    if (!note) return false;
    const end = await notes.end();
    const left = end === known.end ? await notes.leave(note, { id, at: momentOf(clock.now()) }, end) : undefined;
    this.known = { end: left ?? end };
    this.readAtNote = eventsRead;
    return left !== undefined;
  }
}
