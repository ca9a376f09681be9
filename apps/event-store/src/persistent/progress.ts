import type { Checkpoints } from './checkpoints.js';
import { Ledger, type Mark } from './ledger.js';
import type { Page, Source } from './source.js';

export interface CheckpointSettings {
  readonly checkpointAfterMs: number;
  readonly minCheckpointCount: number;
  readonly maxCheckpointCount: number;
}

/** How far a group has come, and when that is written down. */
export class Progress {
  /** The place of the last checkpoint that was written. */
  checkpoint: number | undefined;
  private readonly ledger: Ledger;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly source: Source,
    private readonly checkpoints: Checkpoints,
    private readonly settings: CheckpointSettings,
    beginsBeyond: number,
  ) {
    this.checkpoint = checkpoints.load();
    this.ledger = new Ledger(this.checkpoint ?? beginsBeyond, settings);
  }

  /** The last place that was read. */
  get passed(): number {
    return this.ledger.passed;
  }

  read(places: readonly number[], page: Page): void {
    this.ledger.read(places, page);
    this.keepTime();
  }

  settle(place: number): void {
    this.ledger.settle(place);
    this.consider();
  }

  /** Nothing is written from now on. */
  stop(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** Writes down the last of it. */
  async close(): Promise<void> {
    this.stop();
    await this.writing;
    await this.write();
  }

  private consider(): void {
    if (this.closed) return;
    if (this.ledger.overdue) void this.write();
    else this.keepTime();
  }

  private keepTime(): void {
    if (this.timer || this.closed || !this.ledger.moved) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.ledger.due) void this.write();
    }, this.settings.checkpointAfterMs);
    this.timer.unref();
  }

  /** One that cannot be written is tried again when more is settled: until then a crash repeats more. */
  private write(): Promise<void> {
    if (this.writing || !this.ledger.moved) return this.writing ?? Promise.resolve();
    const mark = this.ledger.mark();
    this.writing = this.checkpoints.write(this.source.textOf(mark.place)).then(
      () => this.written(mark),
      () => {
        this.writing = undefined;
      },
    );
    return this.writing;
  }

  private written(mark: Mark): void {
    this.writing = undefined;
    this.ledger.checkpointed(mark);
    this.checkpoint = mark.place;
    this.consider();
  }
}
