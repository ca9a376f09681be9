/** Time enters the system here and is passed on as a value; the domain never reads it. */
export interface Clock {
  /** Wall-clock milliseconds since 1970, for what is recorded. */
  now(): number;
  /** Milliseconds that never go backwards, for what is measured or waited for. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** Node's timers count no further, in milliseconds: a longer one fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
