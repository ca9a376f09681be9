import { parentPort } from 'node:worker_threads';
import { plant } from './plants.js';
import { setUp, trySeed } from './trial.js';

/** A share of the seeds: every `step`th from `from`, below `end`. */
export interface Share {
  readonly from: number;
  readonly end: number;
  readonly step: number;
  readonly planted?: string | undefined;
}

/** What comes back for each seed that failed, and once at the end. */
export type Told = { readonly failed: Awaited<ReturnType<typeof trySeed>> } | { readonly cases: number };

parentPort?.once('message', (share: Share) => void work(share));

async function work({ from, end, step, planted }: Share): Promise<void> {
  // Errors are a part of every case, and nobody reads here where they come from.
  Error.stackTraceLimit = 0;
  const bench = await setUp();
  if (planted !== undefined) plant(planted);
  let cases = 0;
  for (let seed = from; seed < end; seed += step) {
    const finding = await trySeed(seed, bench);
    cases += 1;
    if (finding.broken.length > 0) parentPort?.postMessage({ failed: finding } satisfies Told);
  }
  parentPort?.postMessage({ cases } satisfies Told);
  parentPort?.close();
}
