import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from './errors.js';
import type { Logger } from './logger.js';

const TURN_MS = 250;
/** The thread holds a counter and a timer. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };

/** What the thread that watches is told. */
export interface LoopWatchStart {
  readonly service: string;
  readonly pid: number;
  readonly hungMs: number;
  /** Changes whenever the loop turns. */
  readonly turns: BigInt64Array;
}

/**
 * Ends this process with SIGKILL, after one line in its log, when its loop has not turned for so long: whoever keeps
 * the process starts it again. To be called when the service is ready, since booting may take its time.
 */
export function watchLoop(service: string, hungMs: number, logger: Logger): void {
  const turns = new BigInt64Array(new SharedArrayBuffer(8));
  const start: LoopWatchStart = { service, pid: process.pid, hungMs, turns };
  const program = new URL(`./loop-watch-thread${extname(import.meta.url)}`, import.meta.url);
  const thread = new Worker(program, { workerData: start, env: {}, resourceLimits: RESOURCE_LIMITS });
  thread.on('error', (error) => logger.error({ reason: messageOf(error) }, 'nobody watches the loop of this process'));
  thread.unref();
  setInterval(() => Atomics.add(turns, 0, 1n), TURN_MS).unref();
}
