import type { RunId } from '#contracts';
import { Runs } from '#log';
import { runRequested } from '#testing';
import type { Rig } from './rig.js';

/** Puts a run into the log: what runs for one that the log does not know is ended after half a minute, or less. */
export async function requestRun({ log }: Rig, runId: RunId): Promise<void> {
  await new Runs(log, { app: 'gateway', id: 'test' }).request(runId, runRequested(Date.now()));
}
