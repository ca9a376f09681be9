/** A promise that the test resolves when it wants those who wait to go on. */
export class Gate {
  private resolve: (() => void) | undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.resolve = resolve;
  });

  open(): void {
    this.resolve?.();
  }
}
