import { Unavailable } from '#platform';

const late = (ms: number): Unavailable => new Unavailable(`The event log did not answer within ${ms} ms.`);

/** The result of the work, or `Unavailable` when it takes longer than this (ms). */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late(ms)), ms);
  });
  try {
    // The race listens to its loser too: the client's late failure is no unhandled rejection, which would end the process.
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Passes on what the source brings; ends with `Unavailable` when it brings nothing for this long (ms). */
export async function* eachWithin<T>(ms: number, source: AsyncIterable<T>): AsyncGenerator<T, void, void> {
  const items = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await within(ms, items.next());
      ended = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // A frozen source would not answer this either: it is told, and not waited for.
    if (!ended) items.return?.().catch(() => undefined);
  }
}
