import { HANDOFF_NOTES_KEPT, type HandoffNoteLeft, momentOf, streams } from '#contracts';
import { currentItem, FOLD_VERSION, type History, tally } from '#domain';
import { Blobs, type EventLog } from '#log';
import { newId } from '#platform';
import type { SegmentLog } from './segment-log.js';

const INLINE_BYTES = 300_000;

/** Leaves a note for the next segment: a snapshot of the folded history and a few lines for people. */
export async function leaveNote(log: EventLog, segmentLog: SegmentLog, now: number): Promise<void> {
  const { history, runId, segment } = segmentLog;
  const stream = streams.handoff(runId);
  const data: HandoffNoteLeft['data'] = {
    at: momentOf(now),
    segment,
    revision: history.run.last.revision,
    foldVersion: FOLD_VERSION,
    ...inWords(history),
    snapshot: await snapshotOf(log, history),
  };
  const metadata = { correlationId: runId };
  const { revision } = await log.append(stream, [{ id: newId(), type: 'HandoffNoteLeft', data, metadata }], 'any');
  if (revision === 0) await log.keepNewest(stream, HANDOFF_NOTES_KEPT);
}

async function snapshotOf(log: EventLog, history: History): Promise<HandoffNoteLeft['data']['snapshot']> {
  const text = JSON.stringify(history);
  if (text.length <= INLINE_BYTES) return { inline: history };
  return { blob: await new Blobs(log).put(Buffer.from(text), 'application/json') };
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
