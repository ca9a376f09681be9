import type { Bus } from '#bus';
import { WORK_CONSUMERS } from '#contracts';
import type { Clock } from '#platform';

/** Between two looks, in milliseconds: by chance, so that of many processes not all leave for the same free place. */
const LOOK_MS = { least: 50, most: 250 };
/** Where nobody comes, or the bus does not say: nobody could tell this process to stop any more. */
const LONGEST_MS = 15_000;

interface Surroundings {
  readonly bus: Pick<Bus, 'consumerState'>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Resolves when some runner waits for a segment, so that whoever hands off now is followed at once; after 15 s in any case. */
export async function successor({ bus, clock, random }: Surroundings): Promise<void> {
  const giveUpAt = clock.monotonic() + LONGEST_MS;
  while (clock.monotonic() < giveUpAt) {
    const pauseMs = LOOK_MS.least + random() * (LOOK_MS.most - LOOK_MS.least);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const state = await bus.consumerState(WORK_CONSUMERS.runSegment).catch(() => undefined);
    if (state && state.waiting > 0) return;
  }
}
