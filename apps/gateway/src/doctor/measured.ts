import { setTimeout as pause } from 'node:timers/promises';
import type { Measured } from '#domain';
import { messageOf } from '#platform';

/** No measurement takes longer than this, milliseconds: a doctor that hangs helps nobody. */
const MEASURED_WITHIN_MS = 15_000;

/** What was measured, or why it could not be. */
export async function measured<T>(work: () => Promise<T>, withinMs = MEASURED_WITHIN_MS): Promise<Measured<T>> {
  const over = new AbortController();
  try {
    return await Promise.race([
      work().then((seen) => ({ seen })),
      pause(withinMs, undefined, { signal: over.signal, ref: false }).then(() => ({
        unseen: `It was not measured within ${withinMs / 1_000} s.`,
      })),
    ]);
  } catch (error) {
    return { unseen: messageOf(error) };
  } finally {
    over.abort();
  }
}
