import { z } from 'zod';
import { HANDOFF_NOTES_KEPT, HandoffNoteLeft, type Moment, type RunId, streams } from '#contracts';
import { currentItem, FOLD_VERSION, type History, type Snapshot, snapshotOf, tally } from '#domain';
import { newId } from '#platform';
import { Blobs } from './blobs.js';
import type { EventLog, StoredEvent } from './event-log.js';
import { contentOf, keepNewest, keptContent, newestUsable } from './notes.js';

/** A snapshot of a run's history as it was at a revision. */
export interface HandoffNote {
  readonly snapshot: Snapshot;
  readonly revision: number;
}

/** What must be there for a snapshot to be gone on from; its version says the rest. */
const Shape = z.object({
  run: z.looseObject({ progress: z.string(), last: z.looseObject({ revision: z.int() }) }),
  context: z.looseObject({ messages: z.array(z.unknown()) }),
});

/** The stream `handoff-<runId>`: a speed-up and a courtesy. A note that cannot be used is passed over; the log alone suffices. */
export class HandoffNotes {
  private readonly blobs: Blobs;

  constructor(private readonly log: EventLog) {
    this.blobs = new Blobs(log);
  }

  /** Leaves a snapshot and a few lines for people. @returns the size of the snapshot in characters */
  async leave(runId: RunId, history: History, by: { readonly segment: number; readonly at: Moment }): Promise<number> {
    const stream = streams.handoff(runId);
    const snapshot = snapshotOf(history);
    const { kept, characters } = await keptContent(this.blobs, snapshot);
    const data: HandoffNoteLeft['data'] = {
      ...by,
      revision: history.run.last.revision,
      foldVersion: FOLD_VERSION,
      ...inWords(history),
      snapshot: kept,
    };
    const event = { id: newId(), type: 'HandoffNoteLeft', data, metadata: { correlationId: runId } };
    const { revision } = await this.log.append(stream, [event], 'any');
    await keepNewest(this.log, stream, revision, HANDOFF_NOTES_KEPT);
    return characters;
  }

  /** The newest note that this version can use. */
  newest(runId: RunId): Promise<HandoffNote | undefined> {
    return newestUsable(this.log, streams.handoff(runId), (stored) => this.read(stored));
  }

  private async read({ type, data }: StoredEvent): Promise<HandoffNote | undefined> {
    const note = HandoffNoteLeft.safeParse({ type, data });
    if (!note.success || note.data.data.foldVersion !== FOLD_VERSION) return undefined;
    const { snapshot, revision } = note.data.data;
    const shape = Shape.safeParse(await contentOf(this.blobs, snapshot));
    if (!shape.success || shape.data.run.last.revision !== revision) return undefined;
    return { snapshot: shape.data as unknown as Snapshot, revision };
  }
}

function inWords({ run }: History): { done: string; inProgress: string; next: string } {
  const item = currentItem(run);
  const calls = run.openCalls.map(({ callId, tool }) => `${tool} (${callId})`).join(', ');
  return {
    done: run.items.length > 0 ? tally(run) : `${run.turns} steps.`,
    inProgress: [item ? `Item ${item.id}.` : '', calls ? `Running: ${calls}.` : ''].join(' ').trim() || 'Nothing.',
    next: calls ? 'Collect the running calls, then go on.' : 'Go on with the next model turn.',
  };
}
