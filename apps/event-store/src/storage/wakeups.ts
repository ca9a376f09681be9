/**
 * Tells those who wait at the end of a stream, or of `$all`, that a commit has brought something: in the next turn of the
 * event loop, so that the writers' answers are on their way before many readers read.
 */
export class Wakeups {
  private readonly waiting = new Map<string, Set<() => void>>();
  /** Of a commit that is still being made. */
  private readonly touched = new Set<string>();
  /** Of commits that were made and not told yet. */
  private readonly news = new Set<string>();

  /** Within a commit: this stream has a new event. */
  touch(stream: string): void {
    this.touched.add(stream);
  }

  /** The commit was not made. */
  forget(): void {
    this.touched.clear();
  }

  /** After a commit. */
  ring(): void {
    if (this.touched.size > 0 && this.news.size === 0) setImmediate(() => this.tell());
    for (const stream of this.touched) this.news.add(stream);
    this.touched.clear();
  }

  private tell(): void {
    const streams = [...this.news, ALL];
    this.news.clear();
    for (const stream of streams) {
      const sleepers = this.waiting.get(stream);
      this.waiting.delete(stream);
      for (const wake of sleepers ?? []) wake();
    }
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
