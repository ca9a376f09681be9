/**
 * For how long a loop has not turned, counted in ticks of whoever watches it. A tick that comes late was held up itself,
 * by a machine that swaps or sleeps or by SIGSTOP: it does not count, so that no such time takes anybody's patience.
 */
export class Stillness {
  private turn: bigint | undefined;
  private stillTicks = 0;
  private lastTickAt: number | undefined;

  constructor(
    private readonly limitMs: number,
    private readonly tickMs: number,
  ) {}

  /**
   * @param turn something that the loop changes whenever it turns
   * @param now milliseconds of a monotonic clock
   * @returns whether the loop has been still for longer than the limit
   */
  tick(turn: bigint, now: number): boolean {
    const inTime = this.lastTickAt !== undefined && now - this.lastTickAt <= 2 * this.tickMs;
    this.lastTickAt = now;
    if (turn !== this.turn) this.stillTicks = 0;
    else if (inTime) this.stillTicks += 1;
    this.turn = turn;
    return this.stillTicks * this.tickMs > this.limitMs;
  }
}
