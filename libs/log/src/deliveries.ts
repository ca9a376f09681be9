/** A queue between a source that pushes and one reader that iterates. */
export class Deliveries<T> implements AsyncIterable<T> {
  private readonly queue: T[] = [];
  private wake: (() => void) | undefined;
  private ended = false;
  private failure: Error | undefined;
  /** Called when the reader has taken everything: the source may go on. */
  onDrained: () => void = () => undefined;

  get waiting(): number {
    return this.queue.length;
  }

  push(value: T): void {
    if (this.ended) return;
    this.queue.push(value);
    this.ring();
  }

  /** The iteration ends with this error after what is queued was read. */
  fail(error: Error): void {
    this.failure ??= error;
    this.ring();
  }

  /** The iteration ends now. */
  end(): void {
    this.ended = true;
    this.queue.length = 0;
    this.ring();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    while (!this.ended) {
      const batch = this.queue.splice(0);
      for (const value of batch) {
        if (this.ended) return;
        yield value;
      }
      if (batch.length > 0) this.onDrained();
      else if (this.failure && !this.ended) throw this.failure;
      else if (!this.ended) await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private ring(): void {
    this.wake?.();
    this.wake = undefined;
  }
}
