import { readFileSync, write } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { LoopWatchStart } from './loop-watch.js';
import { Stillness } from './stillness.js';

const TICK_MS = 1_000;
/** Who reads the log may be what the loop hangs on. */
const WRITE_WITHIN_MS = 500;

const { service, pid, hungMs, turns }: LoopWatchStart = workerData;
const stillness = new Stillness(hungMs, TICK_MS);

/** A loop that the kernel keeps waiting, for a disk or for swapped memory, does not hang, and no kill would reach it. */
function waitsForTheKernel(): boolean {
  try {
    return /\) D /.test(readFileSync(`/proc/self/task/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The line is written past the loop, which would have to write it otherwise. */
function end(): void {
  const msg = `the loop of this process has not turned for ${hungMs / 1_000} s: it ends itself`;
  const line = JSON.stringify({ level: 50, time: new Date().toISOString(), service, pid, hungMs, msg });
  const kill = (): void => void process.kill(pid, 'SIGKILL');
  setTimeout(kill, WRITE_WITHIN_MS);
  write(1, `${line}\n`, kill);
}

const ticking = setInterval(() => {
  const isOver = stillness.tick(Atomics.load(turns, 0), performance.now());
  if (!isOver || waitsForTheKernel()) return;
  clearInterval(ticking);
  end();
}, TICK_MS);
