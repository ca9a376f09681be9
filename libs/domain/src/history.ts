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

/** What a run's first event says of it, and no other event does. */
export type Given = Pick<Run, 'agent' | 'items' | 'input' | 'attachments'>;

/** Undefined when the event begins no run. */
export const givenBy = (first: Recorded<RunEvent>): Given | undefined =>
  first.event.type === 'RunRequested' ? evolve(undefined, first) : undefined;

/** A history without what is given: its size is bounded by the context, not by the run's length. */
export interface Snapshot {
  readonly run: Omit<Run, keyof Given>;
  readonly context: Context;
}

export function snapshotOf({ run, context }: History): Snapshot {
  const { agent: _agent, items: _items, input: _input, attachments: _attachments, ...rest } = run;
  return { run: rest, context };
}

/** The history again; undefined when the snapshot is not one of the run of which this is given. */
export function fromSnapshot({ run, context }: Snapshot, given: Given): History | undefined {
  const { agent, items, input, attachments } = given;
  return run.progress.length === items.length
    ? { run: copyOf({ agent, items, input, attachments, ...run }), context }
    : undefined;
}
