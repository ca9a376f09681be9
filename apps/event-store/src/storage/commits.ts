import { messageOf } from '#platform';
import { type Database, StorageFailed } from './database.js';

/** One piece of work waiting for the next commit. */
interface Waiting {
  readonly work: () => unknown;
  readonly done: (result: unknown) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Group commit: all that arrives during one turn of the event loop is written in one transaction,
 * so that fifty writers share one wait for the disk.
 *
 * 1. Nothing is answered before its commit has returned.
 * 2. Work that refuses a request says so by its result and has then written nothing.
 * 3. Work that throws, or a disk that refuses, rolls everything back; then each piece is tried alone,
 *    so that one request that cannot be stored does not take the others with it.
 */
export class Commits {
  private waiting: Waiting[] = [];
  /** Since the start: transactions, the requests in them, and requests that could not be stored. */
  readonly counted = { commits: 0, requests: 0, failed: 0 };
  /** Why the last commit failed; undefined once one succeeds again. */
  failure: string | undefined;

  private readonly beginning;
  private readonly ending;

  constructor(
    private readonly database: Database,
    private readonly after: { readonly committed: () => void; readonly rolledBack: () => void },
  ) {
    this.beginning = database.prepare('BEGIN IMMEDIATE');
    this.ending = database.prepare('COMMIT');
  }

  /** Runs the work inside the next transaction. */
  submit<T>(work: () => T): Promise<T> {
    return new Promise<T>((done, failed) => {
      if (this.waiting.length === 0) setImmediate(() => this.flush());
      this.waiting.push({ work, done: done as (result: unknown) => void, failed });
    });
  }

  /** To be called by work before its first write. */
  begin(): void {
    if (!this.database.isTransaction) this.beginning.run();
  }

  /** Commits what is waiting now. */
  flush(): void {
    const batch = this.waiting;
    this.waiting = [];
    if (batch.length > 0) this.commit(batch);
  }

  private commit(batch: readonly Waiting[]): void {
    let results: unknown[];
    try {
      results = batch.map(({ work }) => work());
      if (this.database.isTransaction) {
        this.ending.run();
        this.counted.commits += 1;
        this.failure = undefined;
      }
    } catch (error) {
      this.rollBack();
      if (batch.length > 1) for (const one of batch) this.commit([one]);
      else this.fail(batch, error);
      return;
    }
    this.counted.requests += batch.length;
    this.after.committed();
    batch.forEach(({ done }, index) => done(results[index]));
  }

  private fail(batch: readonly Waiting[], error: unknown): void {
    this.failure = messageOf(error);
    this.counted.failed += batch.length;
    const told = new StorageFailed(`Nothing was recorded: ${this.failure}.`, { cause: error });
    for (const { failed } of batch) failed(told);
  }

  private rollBack(): void {
    try {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself already: what it says then is no news.
    }
    this.after.rolledBack();
  }
}
