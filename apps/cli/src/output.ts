import { messageOf } from '#platform';

/** Where a command's words go: results to standard output, what concerns the person only to standard error. */
export class Output {
  private outlives = false;

  constructor(
    private readonly out: NodeJS.WritableStream = process.stdout,
    private readonly err: NodeJS.WritableStream = process.stderr,
  ) {
    // A reader such as `head` that has seen enough closes the pipe: that is no error of ours.
    for (const stream of [out, err]) stream.on('error', (error: NodeJS.ErrnoException) => this.unread(error));
  }

  /** From now on the command goes on when nobody reads its words any more: it keeps something alive. */
  outliveReader(): void {
    this.outlives = true;
  }

  /** Text for people, a line or several. */
  say(text: string): void {
    this.out.write(`${text}\n`);
  }

  /** One JSON value on one line; called repeatedly it makes NDJSON. */
  json(value: unknown): void {
    this.out.write(`${JSON.stringify(value)}\n`);
  }

  /** What is going on, beside the result. */
  note(text: string): void {
    this.err.write(`${text}\n`);
  }

  /** One sentence that says what is wrong and the way out. */
  fail(error: unknown): void {
    this.err.write(`${messageOf(error)}\n`);
  }

  private unread({ code }: NodeJS.ErrnoException): void {
    if (!this.outlives) process.exit(code === 'EPIPE' ? 0 : 1);
  }

  /** Rows under headings, in columns as wide as they need. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)));
    for (const row of [headings, ...rows]) {
      this.say(
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd(),
      );
    }
  }
}
