/** How many more messages could be begun now; `running` handlers have not returned yet. */
export type Free = (running: number) => number;

interface Work<T> {
  /** Resolves to undefined soon after the signal is aborted. */
  readonly next: (signal: AbortSignal) => Promise<T | undefined>;
  /** Takes its slot before its first await; never rejects. */
  readonly handle: (item: T) => Promise<void>;
  readonly handBack: (item: T) => Promise<void>;
  readonly free: Free;
}

/** Keeps as many requests open as there are free slots: never one more, and never fewer for longer than it takes to ask. */
export class Intake<T> {
  private readonly requests = new Set<AbortController>();
  private readonly ending = new Set<Promise<void>>();
  private running = 0;
  private stopped = false;

  constructor(private readonly work: Work<T>) {}

  wake(): void {
    const free = this.free();
    while (this.requests.size < free) this.request();
    for (const surplus of [...this.requests].slice(free)) this.withdraw(surplus);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    while (this.ending.size > 0) await Promise.all(this.ending);
  }

  private free(): number {
    return this.stopped ? 0 : Math.max(0, Math.floor(this.work.free(this.running)));
  }

  private request(): void {
    const request = new AbortController();
    this.requests.add(request);
    const ending = this.take(request).finally(() => this.ending.delete(ending));
    this.ending.add(ending);
  }

  private withdraw(request: AbortController): void {
    this.requests.delete(request);
    request.abort();
  }

  private async take(request: AbortController): Promise<void> {
    const item = await this.work.next(request.signal);
    this.requests.delete(request);
    if (item === undefined) return;
    if (this.free() === 0) return await this.work.handBack(item);
    this.running += 1;
    try {
      const done = this.work.handle(item);
      this.wake();
      await done;
    } finally {
      this.running -= 1;
      this.wake();
    }
  }
}
