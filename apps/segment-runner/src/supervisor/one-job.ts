/**
 * The life of a runner that takes a single segment (`--once`): for platforms that start a process per job. It waits for
 * a segment for a limited time, because another process may have taken the one that it was started for.
 */
export class OneJob {
  /** Resolves with the exit code: 0 when the segment has ended or there was none to take, 1 when its process died. */
  readonly finished: Promise<number>;
  private state: 'waiting' | 'taken' = 'waiting';
  private finish: (code: number) => void = () => undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly waitMs: number) {
    this.finished = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  /** From now on a segment may come. */
  wait(): void {
    this.timer = setTimeout(() => {
      if (this.state === 'waiting') this.finish(0);
    }, this.waitMs);
  }

  isTaken(): boolean {
    return this.state === 'taken';
  }

  /** A segment has been begun: no other one is taken. */
  taken(): void {
    this.state = 'taken';
    clearTimeout(this.timer);
  }

  done(): void {
    if (this.state === 'taken') this.finish(0);
  }

  failed(): void {
    if (this.state === 'taken') this.finish(1);
  }
}
