/** One subject of `npm run bench -- NAME`; the names are in `main.ts`. */
export interface Bench {
  /** Prints its figures on standard output, how it goes on standard error. */
  run(words: readonly string[]): Promise<void>;
}
