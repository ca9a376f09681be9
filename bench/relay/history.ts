import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { momentOf } from '#contracts';
import { connectLog, type EventLog, OpenRunNotes, RelayWatch } from '#log';
import { silentLogger, systemClock } from '#platform';
import { round } from '../figures.js';
import { inherited } from './config.js';
import { killed } from './killed.js';
import { freePort } from './local-cluster.js';
import { writeEndedRuns, writeOpenRuns } from './open-runs.js';

const OPEN_RUNS = 100;
const EVENT_STORE = fileURLToPath(new URL('../../apps/event-store/src/main.js', import.meta.url));

export interface HistoryFigures {
  readonly endedRuns: number;
  /** Relay events that lie before the open runs. */
  readonly events: number;
  /** Until a coordinator or sweeper knows the open runs, in milliseconds: without a note of open runs, and with one. */
  readonly wholeMs: number;
  readonly noteMs: number;
}

/** How long those who start have to read, after so many runs that are over. */
export async function measureHistory(endedRuns: number): Promise<HistoryFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
  const port = await freePort();
  const env = { ...inherited(), BATON_DATA: folder, BATON_PORT: String(port), BATON_LOG_LEVEL: 'error' };
  const store = fork(EVENT_STORE, [], { env, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const log = connectLog(`esdb://127.0.0.1:${port}?tls=false`);
  try {
    await once(store, 'message');
    const events = await writeEndedRuns(log, endedRuns);
    await writeOpenRuns(log, OPEN_RUNS);
    const wholeMs = await untilReady(log, async (watch) => {
      const note = watch.note();
      const at = momentOf(systemClock.now());
      if (note) await new OpenRunNotes(log).leave(note, { id: 'bench', at }, undefined);
    });
    return { endedRuns, events, wholeMs, noteMs: await untilReady(log, () => Promise.resolve()) };
  } finally {
    await log.close();
    await killed(store);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function untilReady(log: EventLog, then: (watch: RelayWatch) => Promise<void>): Promise<number> {
  const watch = new RelayWatch(log, { clock: systemClock, logger: silentLogger });
  const began = performance.now();
  watch.start();
  await watch.ready();
  const ms = performance.now() - began;
  if (watch.open.size !== OPEN_RUNS) throw new Error(`${watch.open.size} runs are open and not ${OPEN_RUNS}.`);
  await then(watch);
  await watch.stop();
  return round(ms, 0);
}
