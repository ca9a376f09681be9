import type { RecordingApp, RunId } from '#contracts';
import { Runs } from '#log';
import { Advances } from '../apps/coordinator/src/advances.js';
import { SegmentLog } from '../apps/segment-runner/src/child/segment-log.js';
import { Workspace } from '../apps/segment-runner/src/child/workspace.js';
import { Pool } from '../apps/segment-runner/src/supervisor/pool.js';
import { THE_ANSWER } from './world/play.js';

/** Puts the bug in place; what it returns takes it out again. */
type Plant = () => () => void;

/** What a workspace asks by. */
interface Asking {
  readonly segmentLog: { readonly runId: RunId; readonly segment: number };
}

/** Puts another method in the place of one. */
function wrap<T extends object, K extends keyof T>(prototype: T, name: K, by: (original: T[K]) => T[K]): () => void {
  const original = prototype[name];
  prototype[name] = by(original);
  return () => {
    prototype[name] = original;
  };
}

/**
 * Bugs, put into the code of this very process on purpose: a harness that does not find them is worth nothing. Nothing in
 * the production code knows of them.
 */
const PLANTS: Readonly<Record<string, Plant>> = {
  /** The message of a segment is acknowledged when a child was told, and not when its start is in the log. */
  'acknowledge-before-append': () =>
    wrap(
      Pool.prototype,
      'begin',
      (begin) =>
        function beginUnseen(this: Pool, assignment) {
          void begin.call(this, assignment).catch(() => undefined);
          return Promise.resolve('started');
        },
    ),
  /** A segment that is over goes on writing. */
  'forget-the-fence': () => wrap(SegmentLog.prototype, 'assertNotFenced', () => () => undefined),
  /** A call of which nobody knows whether it took effect is simply run again. */
  'retry-a-once-tool': () =>
    wrap(
      Workspace.prototype,
      'run',
      (run) =>
        async function runAgain(this: Workspace, call, signal) {
          const state = await run.call(this, call, signal);
          if (state.state !== 'unknown') return state;
          return run.call(this, { ...call, attempts: (call.attempts ?? 1) + 1 }, signal);
        },
    ),
  /** The world says that it took a request, and is not believed. */
  'mistrust-the-probe': () =>
    wrap(Workspace.prototype, 'probe', () => () => Promise.resolve({ found: 'not-done' as const })),
  /** What a person has answered does not reach the model. */
  'lose-an-answer': () =>
    wrap(
      Runs.prototype,
      'append',
      (append) =>
        function appendOtherwise(this: Runs<RecordingApp>, runId, events, ...rest) {
          const content = [{ type: 'text' as const, text: 'Nobody minds.' }];
          const said = events.map((event) =>
            event.type === 'ToolCallCompleted' && JSON.stringify(event.data.content).includes(THE_ANSWER)
              ? { ...event, data: { ...event.data, content } }
              : event,
          );
          return append.call(this, runId, said, ...rest);
        },
    ),
  /** Whatever the run, the workspace of the first one is asked. */
  'mix-up-the-workspaces': () => {
    let first: RunId | undefined;
    const workspaces = Workspace.prototype as unknown as Asking;
    const asker = Object.getOwnPropertyDescriptor(workspaces, 'asker') ?? {};
    Object.defineProperty(workspaces, 'asker', {
      configurable: true,
      get(this: Asking) {
        first ??= this.segmentLog.runId;
        return { runId: first, segment: this.segmentLog.segment };
      },
    });
    return () => void Object.defineProperty(workspaces, 'asker', asker);
  },
  /** Every restart counts as one without progress. */
  'count-a-healthy-restart': () =>
    wrap(
      Runs.prototype,
      'load',
      (load) =>
        async function loadSuspiciously(this: Runs<RecordingApp>, runId) {
          const run = await load.call(this, runId);
          if (run?.relay.phase !== 'between' || run.deaths === 0) return run;
          return { ...run, relay: { ...run.relay, restarts: run.deaths } };
        },
    ),
  /** The coordinator that has to look again later does not. */
  'drop-a-wake-up': () => {
    const alarms = Advances.prototype as unknown as Record<'setAlarm', () => void>;
    return wrap(alarms, 'setAlarm', () => () => undefined);
  },
};

export const PLANTED = Object.keys(PLANTS);

/** @returns what takes the bug out again. @throws when there is no such bug */
export function plant(name: string): () => void {
  const put = PLANTS[name];
  if (!put) throw new Error(`There is no planted bug ${name}; there are: ${PLANTED.join(', ')}.`);
  return put();
}
