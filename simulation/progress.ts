import { inTime } from '#domain';

const TELL_EVERY_MS = 10_000;

/** What is to be played: so many seeds, or as many as go into a time. */
interface Extent {
  readonly seeds: number;
  readonly forMs: number;
}

/** How far a simulation is and how long it may still take: a line every ten seconds. */
export class Progress {
  private readonly began: number;
  private toldAt: number;
  private readonly played: number[] = [];

  constructor(
    private readonly extent: Extent,
    /** Milliseconds that only grow. */
    private readonly now: () => number,
    private readonly tell: (line: string) => void,
  ) {
    this.began = this.toldAt = now();
  }

  /** @param cases how many the worker has played so far */
  note(worker: number, cases: number, failed: number): void {
    this.played[worker] = cases;
    const now = this.now();
    if (now - this.toldAt < TELL_EVERY_MS) return;
    this.toldAt = now;
    this.tell(
      wordsOf(this.extent, { cases: this.played.reduce((sum, each) => sum + each, 0), failed, ms: now - this.began }),
    );
  }
}

export function wordsOf(
  { seeds, forMs }: Extent,
  { cases, failed, ms }: { readonly cases: number; readonly failed: number; readonly ms: number },
): string {
  const leftMs = Math.min(forMs - ms, ((seeds - cases) * ms) / Math.max(1, cases));
  const of = Number.isFinite(forMs) ? '' : ` of ${seeds.toLocaleString('en')}`;
  return `${cases.toLocaleString('en')}${of} cases, ${failed} failed · about ${inTime(Math.max(0, leftMs))} left`;
}
