import type { Recorded, RunEvent } from '#contracts';
import { type Context, emptyContext, extendContext } from './context.js';
import { evolve } from './evolve.js';
import type { Run } from './run.js';
import { copyOf } from './run-copy.js';

/** A run together with the context of its model: what a segment needs. */
export interface History {
  readonly run: Run;
  readonly context: Context;
}

/** Raised with every change to what the folds compute or to the shape of their result: snapshots of other versions are passed over. */
export const FOLD_VERSION = 7;

export function replay(history: History | undefined, event: Recorded<RunEvent>): History {
  const run = evolve(history?.run, event);
  return { run, context: extendContext(history?.context ?? emptyContext, run, event) };
}

/** A history without what the run's first event says: its size is bounded by the context, not by the run's length. */
export interface Snapshot {
  readonly run: Omit<Run, (typeof GIVEN)[number]>;
  readonly context: Context;
}

const GIVEN = ['agent', 'items', 'input', 'attachments'] as const;

export function snapshotOf({ run, context }: History): Snapshot {
  const { agent: _agent, items: _items, input: _input, attachments: _attachments, ...rest } = run;
  return { run: rest, context };
}

/** The history again; undefined when the snapshot is not one of the run that this event began. */
export function fromSnapshot(snapshot: Snapshot, first: Recorded<RunEvent>): History | undefined {
  if (first.event.type !== 'RunRequested') return undefined;
  const { agent, items, input, attachments } = evolve(undefined, first);
  const { run, context } = snapshot;
  return run.progress.length === items.length
    ? { run: copyOf({ agent, items, input, attachments, ...run }), context }
    : undefined;
}
