/** Tells those who wait at the end of a stream, or of `$all`, that a commit has brought something. */
export class Wakeups {
  private readonly waiting = new Map<string, Set<() => void>>();
  private readonly touched = new Set<string>();

  /** Within a commit: this stream has a new event. */
  touch(stream: string): void {
    this.touched.add(stream);
  }

  forget(): void {
    this.touched.clear();
  }

  /** After a commit. */
  ring(): void {
    if (this.touched.size === 0) return;
    for (const stream of [...this.touched, ALL]) {
      const sleepers = this.waiting.get(stream);
      this.waiting.delete(stream);
      for (const wake of sleepers ?? []) wake();
    }
    this.touched.clear();
  }

  /** Calls once at the next commit that touches the stream (`$all`: any commit); the answer takes it back. */
  next(stream: string, wake: () => void): () => void {
    const sleepers = this.waiting.get(stream) ?? new Set();
    sleepers.add(wake);
    this.waiting.set(stream, sleepers);
    return () => {
      sleepers.delete(wake);
      if (sleepers.size === 0 && this.waiting.get(stream) === sleepers) this.waiting.delete(stream);
    };
  }
}

export const ALL = '$all';
