import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { momentOf } from '#contracts';
import { connectLog, type EventLog, OpenRunNotes, type OpenRunsNote, RelayWatch } from '#log';
import { silentLogger, systemClock } from '#platform';
import { startServer } from '../event-store/server.js';
import { round } from '../figures.js';
import { writeEndedRuns, writeOpenRuns } from './open-runs.js';

const OPEN_RUNS = 100;

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
  const store = await startServer(folder);
  const log = connectLog(store.url);
  try {
    const events = await writeEndedRuns(log, endedRuns);
    await writeOpenRuns(log, OPEN_RUNS);
    const { ms: wholeMs, note } = await started(log);
    await new OpenRunNotes(log).leave(note, { id: 'bench', at: momentOf(systemClock.now()) }, undefined);
    return { endedRuns, events, wholeMs, noteMs: (await started(log)).ms };
  } finally {
    await log.close();
    await store.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A start, and what it knows then. @throws when that is not what was written */
async function started(log: EventLog): Promise<{ readonly ms: number; readonly note: OpenRunsNote }> {
  const watch = new RelayWatch(log, { clock: systemClock, logger: silentLogger });
  const began = performance.now();
  watch.start();
  await watch.ready();
  const ms = round(performance.now() - began, 0);
  const note = watch.note();
  await watch.stop();
  if (!note || watch.open.size !== OPEN_RUNS) throw new Error(`${watch.open.size} runs are open and not ${OPEN_RUNS}.`);
  return { ms, note };
}
