import { setTimeout as pause } from 'node:timers/promises';

/** Polls until the question is answered with something truthy, and returns it. @throws after `limitMs` with the last error. */
export async function until<T>(question: () => T | Promise<T>, limitMs = 45_000): Promise<NonNullable<T>> {
  const end = performance.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await question();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`Still not so after ${limitMs} ms: ${question.toString()}`, { cause: last });
    }
    await pause(20);
  }
}
