import { Runs } from '#log';
import { Advances } from '../apps/coordinator/src/advances.js';
import { SegmentLog } from '../apps/segment-runner/src/child/segment-log.js';
import { Workspace } from '../apps/segment-runner/src/child/workspace.js';
import { Pool } from '../apps/segment-runner/src/supervisor/pool.js';

/**
 * Bugs, put into the code of this very process on purpose: a harness that does not find them is worth nothing. Nothing in
 * the production code knows of them.
 */
const PLANTS: Readonly<Record<string, () => void>> = {
  /** The message of a segment is acknowledged when a child was told, and not when its start is in the log. */
  'acknowledge-before-append': () => {
    const { begin } = Pool.prototype;
    Pool.prototype.begin = function beginUnseen(assignment) {
      void begin.call(this, assignment).catch(() => undefined);
      return Promise.resolve('started');
    };
  },
  /** A segment that is over goes on writing. */
  'forget-the-fence': () => {
    SegmentLog.prototype.assertNotFenced = () => undefined;
  },
  /** A call of which nobody knows whether it took effect is simply run again. */
  'retry-a-once-tool': () => {
    const { run } = Workspace.prototype;
    Workspace.prototype.run = async function runAgain(call, signal) {
      const state = await run.call(this, call, signal);
      return state.state === 'unknown'
        ? run.call(this, { ...call, attempts: (call.attempts ?? 1) + 1 }, signal)
        : state;
    };
  },
  /** Every restart counts as one without progress. */
  'count-a-healthy-restart': () => {
    const { load } = Runs.prototype;
    Runs.prototype.load = async function loadSuspiciously(runId) {
      const run = await load.call(this, runId);
      if (run?.relay.phase !== 'between' || run.deaths === 0) return run;
      return { ...run, relay: { ...run.relay, restarts: run.deaths } };
    };
  },
  /** The coordinator that has to look again later does not. */
  'drop-a-wake-up': () => {
    Object.assign(Advances.prototype, { setAlarm: () => undefined });
  },
};

export const PLANTED = Object.keys(PLANTS);

/** @throws when there is no such bug */
export function plant(name: string): void {
  const put = PLANTS[name];
  if (!put) throw new Error(`There is no planted bug ${name}; there are: ${PLANTED.join(', ')}.`);
  put();
}
