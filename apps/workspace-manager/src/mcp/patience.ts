import type { Clock } from '#platform';

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;
/** A connection that broke within this many milliseconds was short; so many in a row are made anew without waiting. */
const SHORT_MS = 60_000;
const SHORT_BORNE = 3;

/** When a server is tried again: ever later while it cannot be reached, and while it is lost again and again soon after. */
export class Patience {
  private failures = 0;
  private short = 0;
  private stoodAt = 0;
  /** By the monotonic clock. */
  private notBefore = 0;
  private reason = '';

  constructor(private readonly clock: Clock) {}

  /** Why it is not tried now, and when it is; undefined when it may be. */
  refusal(): string | undefined {
    const waitMs = this.notBefore - this.clock.monotonic();
    if (waitMs <= 0) return undefined;
    return `${this.reason} It is tried again in ${Math.ceil(waitMs / 1_000)} s at the earliest.`;
  }

  stands(): void {
    this.failures = 0;
    this.stoodAt = this.clock.monotonic();
  }

  /** It could not be reached. */
  failed(reason: string): void {
    this.failures += 1;
    this.backOff(this.failures, reason);
  }

  /** A connection that stood has broken. */
  lost(reason: string): void {
    this.short = this.clock.monotonic() - this.stoodAt < SHORT_MS ? this.short + 1 : 0;
    if (this.short > SHORT_BORNE) this.backOff(this.short - SHORT_BORNE, reason);
  }

  private backOff(times: number, reason: string): void {
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** (times - 1), LONGEST_BACKOFF_MS);
    this.notBefore = this.clock.monotonic() + backoffMs;
    this.reason = reason;
  }
}
