import type { Recorded, RunEvent } from '#contracts';
import { type Context, emptyContext, extendContext } from './context.js';
import { evolve } from './evolve.js';
import type { Run } from './run.js';

/** A run together with the context of its model: what a segment needs. */
export interface History {
  readonly run: Run;
  readonly context: Context;
}

/** Raised with every change to what the folds compute or to the shape of their result: snapshots of other versions are passed over. */
export const FOLD_VERSION = 3;

export function replay(history: History | undefined, event: Recorded<RunEvent>): History {
  const run = evolve(history?.run, event);
  return { run, context: extendContext(history?.context ?? emptyContext, run, event) };
}
