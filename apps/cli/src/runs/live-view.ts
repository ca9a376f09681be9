/** Lines that stay and, on a terminal, one line below them that changes. */
export class LiveView {
  private bar = '';

  constructor(
    private readonly out: NodeJS.WriteStream | (NodeJS.WritableStream & { isTTY?: boolean; columns?: number }),
  ) {}

  /** Whether the line below can change. */
  get redraws(): boolean {
    return this.out.isTTY === true;
  }

  line(text: string): void {
    this.wipe();
    this.out.write(`${text}\n`);
    this.draw();
  }

  /** Does nothing where lines cannot be redrawn. */
  show(bar: string): void {
    if (!this.redraws || bar === this.bar) return;
    this.wipe();
    this.bar = bar;
    this.draw();
  }

  /** Leaves the last line as it is. */
  close(): void {
    if (this.bar !== '') this.out.write('\n');
    this.bar = '';
  }

  private wipe(): void {
    if (this.bar !== '') this.out.write('\r\u001B[K');
  }

  private draw(): void {
    if (this.bar !== '') this.out.write(this.bar.slice(0, (this.out.columns ?? 80) - 1));
  }
}
