import { Inject, Injectable } from '@nestjs/common';
import { LiveDelta, type RunId } from '#contracts';
import { type Logger, messageOf } from '#platform';
import type { ComingBus } from '../surroundings.js';
import { LIVE_BUS, LOGGER } from '../tokens.js';

type Hearer = (delta: LiveDelta) => void;

interface Overheard {
  readonly hearers: Set<Hearer>;
  listening?: { stop(): void };
}

/** What models are writing right now, for those who watch: one subscription a run, none when nobody listens. */
@Injectable()
export class Deltas {
  private readonly runs = new Map<RunId, Overheard>();

  constructor(
    @Inject(LIVE_BUS) private readonly coming: ComingBus,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @returns the way to stop listening */
  hear(run: RunId, hearer: Hearer): () => void {
    const present = this.runs.get(run);
    const overheard: Overheard = present ?? { hearers: new Set() };
    overheard.hearers.add(hearer);
    if (!present) {
      this.runs.set(run, overheard);
      void this.listen(run, overheard);
    }
    return () => this.leave(run, overheard, hearer);
  }

  private async listen(run: RunId, overheard: Overheard): Promise<void> {
    try {
      const bus = await this.coming.bus;
      if (bus === undefined || overheard.hearers.size === 0) return;
      overheard.listening = bus.listen(`${LiveDelta.subject}.${run}`, LiveDelta.body, (delta) => {
        for (const hearer of overheard.hearers) hearer(delta);
      });
    } catch (error) {
      this.logger.debug({ run, reason: messageOf(error) }, 'deltas cannot be overheard');
    }
  }

  private leave(run: RunId, overheard: Overheard, hearer: Hearer): void {
    overheard.hearers.delete(hearer);
    if (overheard.hearers.size > 0) return;
    overheard.listening?.stop();
    if (this.runs.get(run) === overheard) this.runs.delete(run);
  }
}
