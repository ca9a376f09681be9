import { RunId, runOfStream, streams, TERMINAL_EVENTS } from '#contracts';
import { type EventLog, type Position, WrongRevision } from '#log';

/** What a walk through the log is given. */
export interface Walk {
  readonly log: EventLog;
  /** What came later than this moment (of the log's clock, milliseconds since 1970) is left alone. */
  readonly before: number;
  /** To be awaited for every event. */
  readonly breathe: () => Promise<void>;
}

const TERMINAL: ReadonlySet<string> = new Set(TERMINAL_EVENTS);

/**
 * Removes the handoff notes of runs that have ended before the walk's moment; each end is looked at once in its life.
 * Should a halted run be reopened later, it is rebuilt from its events: the notes were only a speed-up.
 */
export async function removeOldNotes(
  { log, before, breathe }: Walk,
  after: Position | undefined,
): Promise<{ readonly endsUpTo?: Position; readonly notesRemoved: number }> {
  let endsUpTo = after;
  let notesRemoved = 0;
  for await (const { stream, created, position } of log.readAll(TERMINAL_EVENTS, after)) {
    if (created >= before) break;
    await breathe();
    const runId = RunId.safeParse(runOfStream(stream));
    if (runId.success && (await removeNotesOf(log, runId.data))) notesRemoved += 1;
    endsUpTo = position;
  }
  return { ...(endsUpTo === undefined ? {} : { endsUpTo }), notesRemoved };
}

async function removeNotesOf(log: EventLog, runId: RunId): Promise<boolean> {
  const [last, note] = await Promise.all([log.last(streams.run(runId)), log.last(streams.handoff(runId))]);
  // A run that was reopened needs them; its next end comes later in the log.
  if (!last || !note || !TERMINAL.has(last.type)) return false;
  try {
    await log.remove(streams.handoff(runId), note.revision);
    return true;
  } catch (error) {
    if (error instanceof WrongRevision) return false;
    throw error;
  }
}
