import { parentPort } from 'node:worker_threads';
import { plant } from './plants.js';
import { setUp, trySeed } from './trial.js';
import { stopwatch } from './world/virtual-time.js';

/** A share of the seeds: every `step`th from `from`, below `end`; as many of them as can be played in `forMs`. */
export interface Share {
  readonly from: number;
  readonly end: number;
  readonly step: number;
  readonly forMs: number;
  readonly planted?: string | undefined;
}

/** What comes back for each seed that failed, and, now and then and at the end, how many were played. */
export type Told =
  | { readonly failed: Awaited<ReturnType<typeof trySeed>> }
  | { readonly cases: number; readonly isAll: boolean };

const TELL_EVERY_MS = 1_000;

parentPort?.once('message', (share: Share) => void work(share));

async function work({ from, end, step, forMs, planted }: Share): Promise<void> {
  // Errors are a part of every case, and nobody reads here where they come from.
  Error.stackTraceLimit = 0;
  const tell = (told: Told): void => parentPort?.postMessage(told);
  const bench = await setUp();
  if (planted !== undefined) plant(planted);
  const began = stopwatch();
  let toldAt = began;
  let cases = 0;
  for (let seed = from; seed < end && stopwatch() - began < forMs; seed += step) {
    const finding = await trySeed(seed, bench);
    cases += 1;
    if (finding.broken.length > 0) tell({ failed: finding });
    if (stopwatch() - toldAt < TELL_EVERY_MS) continue;
    toldAt = stopwatch();
    tell({ cases, isAll: false });
  }
  tell({ cases, isAll: true });
  parentPort?.close();
}
