import { ApiProblem } from './problems.js';

/** How many may wait for their turn. */
const MOST_WAITING = 8;

/** Questions that cost much are answered one after the other, so that any number of them costs no more than one does at a time. */
export class InTurn {
  private last: Promise<unknown> = Promise.resolve();
  private open = 0;

  /** @throws ApiProblem 429 when too many wait, and what the work throws */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.open > MOST_WAITING) {
      const detail = `${MOST_WAITING} such questions wait already, and each is answered in its turn; try again in a minute.`;
      throw new ApiProblem(429, 'too-many-questions', detail, { headers: { 'retry-after': '60' } });
    }
    this.open += 1;
    const answer = this.last.then(work);
    this.last = answer.catch(() => undefined);
    try {
      return await answer;
    } finally {
      this.open -= 1;
    }
  }
}
