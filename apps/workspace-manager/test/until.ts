import { setTimeout as pause } from 'node:timers/promises';

/** Waits for a fact. */
export async function until(fact: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const begun = performance.now();
  while (!(await fact())) {
    if (performance.now() - begun > withinMs) throw new Error(`not within ${withinMs} ms: ${String(fact)}`);
    await pause(10);
  }
}
