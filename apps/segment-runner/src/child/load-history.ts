import type { RunId } from '#contracts';
import { type History, replay } from '#domain';
import type { Runs } from '#log';

/** The run and its context: from the newest handoff note and what came after it, or from the first event (law 8). */
export async function loadHistory(runs: Runs<'segment-runner'>, runId: RunId): Promise<History | undefined> {
  const note = await runs.note(runId);
  let history = note?.history;
  for await (const event of runs.events(runId, note ? note.revision + 1 : 0)) history = replay(history, event);
  return history;
}
