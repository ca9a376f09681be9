/** Something to wait for that is opened once, from outside. */
export class Gate {
  readonly passed: Promise<void>;
  private release: (() => void) | undefined;

  constructor() {
    this.passed = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  open(): void {
    this.release?.();
  }
}
