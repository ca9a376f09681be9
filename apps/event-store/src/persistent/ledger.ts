/**
 * How far a group has come.
 *
 * 1. A place is open from when its event is read until it is settled: acknowledged, skipped or parked.
 * 2. A checkpoint never passes an open place, so that what is open is sent again after a crash.
 */
export class Ledger {
  /** Places from the lowest open one on, in order, and whether they are settled. */
  private readonly places = new Map<number, boolean>();
  /** Settled since the last checkpoint, with nothing open before. */
  private covered = 0;
  /** Events left out by the filter since the last checkpoint. */
  private skipped = 0;
  /** The last place of those without anything open before. */
  private settledTo: number;
  private checkpoint: number;

  constructor(
    /** The last place that was read or passed over. */
    private reached: number,
    private readonly bounds: CheckpointBounds,
  ) {
    this.checkpoint = reached;
    this.settledTo = reached;
  }

  get passed(): number {
    return this.reached;
  }

  read(places: readonly number[], { passed, skipped }: { readonly passed: number; readonly skipped: number }): void {
    for (const place of places) this.places.set(place, false);
    this.reached = Math.max(this.reached, passed);
    this.skipped += skipped;
  }

  settle(place: number): void {
    if (this.places.get(place) !== false) return;
    this.places.set(place, true);
    for (const [lowest, settled] of this.places) {
      if (!settled) break;
      this.places.delete(lowest);
      this.settledTo = lowest;
      this.covered += 1;
    }
  }

  /** The place up to which all is settled. */
  get safe(): number {
    return this.places.size === 0 ? this.reached : this.settledTo;
  }

  /** Whether a checkpoint would say anything new. */
  get moved(): boolean {
    return this.safe > this.checkpoint && this.covered + this.skipped > 0;
  }

  /** Whether a checkpoint must be written without waiting for its time. */
  get overdue(): boolean {
    return this.moved && this.covered >= Math.max(1, this.bounds.maxCheckpointCount);
  }

  /** Whether one is to be written, now that its time has come. */
  get due(): boolean {
    const enough = this.covered > 0 && this.covered >= this.bounds.minCheckpointCount;
    return this.moved && (enough || this.skipped >= SKIPPED);
  }

  mark(): Mark {
    return { place: this.safe, covered: this.covered, skipped: this.skipped };
  }

  /** The mark is written down; what came after it still counts. */
  checkpointed({ place, covered, skipped }: Mark): void {
    this.checkpoint = place;
    this.covered -= covered;
    this.skipped -= skipped;
  }
}

export interface CheckpointBounds {
  readonly minCheckpointCount: number;
  readonly maxCheckpointCount: number;
}

/** How far the group had come when a checkpoint was begun. */
export interface Mark {
  readonly place: number;
  readonly covered: number;
  readonly skipped: number;
}

/**
 * So many events that were left out are worth a checkpoint. Each checkpoint is itself an event that others leave out:
 * were the number small, idle groups would keep each other writing.
 */
const SKIPPED = 1000;
