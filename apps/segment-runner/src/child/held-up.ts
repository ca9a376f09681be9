/** A tick that comes this much late tells that the process was held up, milliseconds. */
const HELD_UP_MS = 1_000;
const LATELY_MS = 15_000;

/**
 * How long others kept the processor from this process: a machine that swaps, a neighbour that takes all of it, SIGSTOP.
 * Counted by the lateness of a timer, in milliseconds of a monotonic clock.
 */
export class HeldUp {
  private lastTickAt: number | undefined;
  private longestMs = 0;
  private until = 0;

  constructor(private readonly tickMs: number) {}

  /** One tick of the timer. @returns the longest time of the last 15 s for which the process was held up; 0 if it was not */
  tick(now: number): number {
    if (now >= this.until) this.longestMs = 0;
    const lateMs = this.lastTickAt === undefined ? 0 : now - this.lastTickAt - this.tickMs;
    this.lastTickAt = now;
    if (lateMs < HELD_UP_MS) return this.longestMs;
    this.longestMs = Math.max(lateMs, this.longestMs);
    this.until = now + LATELY_MS;
    return this.longestMs;
  }
}
