import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import { type Random, seeded } from './random.js';
import { Scheduler, type Task } from './scheduler.js';

/*
 * Time, timers and chance of this thread belong to the world that runs in it: the production code reads the clock, sets
 * timers and makes ids as it always does, and knows nothing of it. One world at a time.
 */

/** When a world begins, in milliseconds since 1970. */
export const WORLD_BEGINS = Date.UTC(2026, 0, 5, 3);

const realSetImmediate = setImmediate;
const realNow = performance.now.bind(performance);

/** Milliseconds of the machine that the simulation runs on. */
export const stopwatch = (): number => realNow();

/** A round of the real event loop takes longer than many a task, so several have theirs in one. */
const TURNS_A_ROUND = 50;

/** After each callback of the loop, and before the next, every promise that can go on goes on. */
function inTurns(turn: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const take = (): void => {
      if (isOver) return;
      isOver = true;
      try {
        if (turn()) isOver = false;
        else resolve();
      } catch (error) {
        reject(error);
      }
    };
    const round = (): void => {
      if (isOver) return;
      for (let turns = 0; turns < TURNS_A_ROUND; turns += 1) realSetImmediate(take);
      realSetImmediate(round);
    };
    round();
  });
}

let scheduler = new Scheduler(inTurns);
const COPIES_EVERY = 25;
let copies = true;
let random: Random = seeded(0);
let bytes: Random = seeded(0);

/** Begins a new world in this thread: its time is 0, its chance is the seed's. */
export function beginWorld(seed: number): Scheduler {
  install();
  scheduler = new Scheduler(inTurns);
  copies = seed % COPIES_EVERY === 0;
  random = seeded(seed ^ 0x5bd1e995);
  bytes = seeded(seed ^ 0x2545f491);
  return scheduler;
}

class Timer {
  private task: Task;

  constructor(
    private readonly call: () => void,
    private readonly delayMs: number,
    private readonly repeats: boolean,
  ) {
    this.task = this.arm();
  }

  private arm(): Task {
    return scheduler.post(scheduler.current, Math.max(1, this.delayMs), () => {
      if (this.repeats) this.task = this.arm();
      this.call();
    });
  }

  cancel(): void {
    this.task.cancelled = true;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

const clear = (timer: unknown): void => {
  if (timer instanceof Timer) timer.cancel();
};

function pause<T>(delayMs = 1, value?: T, { signal }: { readonly signal?: AbortSignal } = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal?.aborted) return fail();
    const timer = new Timer(
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve(value as T);
      },
      delayMs,
      false,
    );
    const onAbort = (): void => {
      timer.cancel();
      fail();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function abortAfter(delayMs: number): AbortSignal {
  const controller = new AbortController();
  const timer = new Timer(() => controller.abort(new DOMException('timed out', 'TimeoutError')), delayMs, false);
  timer.unref();
  return controller.signal;
}

function fill(array: Uint8Array): Uint8Array {
  for (let place = 0; place < array.length; place += 1) array[place] = Math.floor(bytes() * 256);
  return array;
}

let installed = false;

function install(): void {
  if (installed) return;
  installed = true;
  const timerOf =
    (repeats: boolean) =>
    (call: (...args: unknown[]) => void, delayMs = 1, ...args: unknown[]) =>
      new Timer(() => call(...args), delayMs, repeats);
  Object.assign(globalThis, {
    setTimeout: timerOf(false),
    setInterval: timerOf(true),
    clearTimeout: clear,
    clearInterval: clear,
    // What the log holds has been JSON. Values are never changed, so that most worlds can do without the copies.
    structuredClone: (value: unknown): unknown => (copies ? JSON.parse(JSON.stringify(value)) : value),
  });
  Object.assign(timersPromises, { setTimeout: pause });
  syncBuiltinESMExports();
  Object.assign(AbortSignal, { timeout: abortAfter });
  Date.now = () => Math.floor(WORLD_BEGINS + scheduler.now + (scheduler.current?.skewMs ?? 0));
  Object.defineProperty(performance, 'now', { value: () => scheduler.now, configurable: true });
  Object.defineProperty(process, 'pid', { get: () => scheduler.current?.pid ?? 1, configurable: true });
  Math.random = () => random();
  Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: fill, configurable: true });
}
