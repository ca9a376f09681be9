import { setTimeout as pause } from 'node:timers/promises';
import type { Bus } from '#bus';
import { WORK_CONSUMERS } from '#contracts';

/** Between two looks, in milliseconds: by chance, so that of many processes not all leave for the same free place. */
const LOOK_MS = { least: 50, most: 250 };

/**
 * Resolves when some runner waits for a segment, so that whoever hands off now is followed at once.
 * @param limitMs where nobody comes, or the bus does not say, it resolves after so many milliseconds
 */
export async function successor(bus: Pick<Bus, 'consumerState'>, random: () => number, limitMs: number): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  while (performance.now() < giveUpAt) {
    await pause(LOOK_MS.least + random() * (LOOK_MS.most - LOOK_MS.least));
    const state = await bus.consumerState(WORK_CONSUMERS.runSegment).catch(() => undefined);
    if (state && state.waiting > 0) return;
  }
}
