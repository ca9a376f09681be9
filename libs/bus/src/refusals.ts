import { type Clock, systemClock, Unavailable } from '#platform';

/** A bus that refuses a thing for so long does not serve, whatever else it answers; milliseconds. */
const BORNE_MS = 5_000;
/** A refusal says nothing any more when nobody has tried since, for so many milliseconds. */
const EVIDENCE_MS = 60_000;

/** Since when a thing was refused each time it was tried, and when that was last; by the monotonic clock, in milliseconds. */
interface Refusing {
  readonly since: number;
  readonly triedAt: number;
  readonly reason: string;
}

/** What the bus has refused to do each time it was asked lately. */
export class Refusals {
  private refusing: Refusing | undefined;

  /** @param words what then is said of the bus, up to the seconds and the reason */
  constructor(
    private readonly words: string,
    private readonly clock: Pick<Clock, 'monotonic'> = systemClock,
  ) {}

  note(reason: string): void {
    const triedAt = this.clock.monotonic();
    this.refusing = { since: this.refusing?.since ?? triedAt, triedAt, reason };
  }

  /** It was done, or nobody can know: the server is another one now. */
  forget(): void {
    this.refusing = undefined;
  }

  /** @throws Unavailable when it was refused for long, each time, and was tried lately */
  assertNone(): void {
    const now = this.clock.monotonic();
    if (this.refusing === undefined || now - this.refusing.triedAt > EVIDENCE_MS) return;
    const { since, triedAt, reason } = this.refusing;
    const seconds = Math.round((now - since) / 1_000);
    if (triedAt - since >= BORNE_MS) throw new Unavailable(`${this.words} for ${seconds} s: ${reason}`);
  }
}
