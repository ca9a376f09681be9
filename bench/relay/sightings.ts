import { type RunEvent, type RunId, runOfStream } from '#contracts';
import type { EventLog, StoredEvent } from '#log';

/** An event as a reader of the log saw it arrive. */
export interface Sighting {
  readonly runId: RunId;
  readonly revision: number;
  readonly event: RunEvent;
  /** When it arrived, in milliseconds of this process's monotonic clock: durable, and delivered. */
  readonly at: number;
}

/**
 * Sees events of the given types live, from any run. The moment of a sighting is later than the event's own by a
 * delivery, which cancels out between two sightings.
 */
export class Sightings {
  readonly seen: Sighting[] = [];
  private readonly waiting = new Set<(sighting: Sighting) => void>();
  private readonly subscription;

  private constructor(log: EventLog, types: readonly RunEvent['type'][]) {
    this.subscription = log.followAll(types, undefined);
  }

  /** Resolves when the history is read: what comes from now on comes as it happens. */
  static async open(log: EventLog, types: readonly RunEvent['type'][]): Promise<Sightings> {
    const sightings = new Sightings(log, types);
    await sightings.begin();
    return sightings;
  }

  of(runId: RunId): readonly Sighting[] {
    return this.seen.filter((sighting) => sighting.runId === runId);
  }

  /** The first event that fits, seen already or still to come. */
  when(fits: (sighting: Sighting) => boolean): Promise<Sighting> {
    const known = this.seen.find(fits);
    if (known) return Promise.resolve(known);
    return new Promise((resolve) => {
      const hear = (sighting: Sighting): void => {
        if (!fits(sighting)) return;
        this.waiting.delete(hear);
        resolve(sighting);
      };
      this.waiting.add(hear);
    });
  }

  close(): Promise<void> {
    return this.subscription.close();
  }

  private begin(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.read(resolve).catch(reject);
    });
  }

  private async read(caughtUp: () => void): Promise<void> {
    for await (const delivery of this.subscription) {
      if (delivery.kind === 'caught-up') caughtUp();
      if (delivery.kind === 'event') this.take(delivery.event, performance.now());
    }
  }

  private take({ stream, revision, type, data }: StoredEvent, at: number): void {
    const runId = runOfStream(stream) as RunId | undefined;
    if (runId === undefined) return;
    const sighting = { runId, revision, at, event: { type, data } as RunEvent };
    this.seen.push(sighting);
    for (const hear of this.waiting) hear(sighting);
  }
}
