import type { Bus } from '#bus';
import { WORK_CONSUMERS } from '#contracts';
import type { Clock } from '#platform';

/** Between two looks, in milliseconds, by chance; meanwhile a place that somebody leaves for is taken. */
const LOOK_MS = { least: 100, most: 400 };
/** Where nobody comes, or the bus does not say: nobody could tell this process to stop any more. */
const LONGEST_MS = 15_000;

interface Surroundings {
  readonly bus: Pick<Bus, 'consumerState'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** How many processes its supervisor had: as many may be looking. */
  readonly siblings: number;
}

/**
 * Resolves when some runner waits for a segment, so that whoever hands off now is followed at once; after 15 s in any case.
 * Where fewer places are free than siblings may look for one, each leaves with the chance of that ratio: about as many go
 * as can be followed, and the others work on.
 */
export async function successor({ bus, clock, random, siblings }: Surroundings): Promise<void> {
  const giveUpAt = clock.monotonic() + LONGEST_MS;
  while (clock.monotonic() < giveUpAt) {
    const pauseMs = LOOK_MS.least + random() * (LOOK_MS.most - LOOK_MS.least);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const state = await bus.consumerState(WORK_CONSUMERS.runSegment).catch(() => undefined);
    if (state && random() < state.waiting / siblings) return;
  }
}
