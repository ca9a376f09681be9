import type { Bus, StrayConsumer } from '#bus';
import type { Finding } from '#log';
import type { Clock } from '#platform';

/** For how long a consumer must have been unused, in milliseconds, as far as this sweeper has seen. */
const UNUSED_MS = 600_000;

/** Removes the consumers of services long gone; what else lies on the bus under our names is told. */
export class StrayKeeper {
  private readonly unusedSince = new Map<string, number>();

  constructor(
    private readonly bus: Pick<Bus, 'strays' | 'removeStray'>,
    private readonly clock: Clock,
    private readonly unusedMs = UNUSED_MS,
  ) {}

  /** @throws Unavailable */
  async round(): Promise<readonly Finding<'sweeper'>[]> {
    const { consumers, streams } = await this.bus.strays();
    const now = this.clock.monotonic();
    const there = new Set(consumers.map(keyOf));
    for (const key of this.unusedSince.keys()) if (!there.has(key)) this.unusedSince.delete(key);
    const found = streams.map(unknownStream);
    for (const consumer of consumers) {
      const since = this.unusedSince.get(keyOf(consumer)) ?? now;
      this.unusedSince.set(keyOf(consumer), since);
      if (now - since < this.unusedMs) continue;
      await this.bus.removeStray(consumer);
      found.push(removed(consumer));
    }
    return found;
  }
}

const keyOf = ({ stream, name }: StrayConsumer): string => `${stream}/${name}`;

const removed = (consumer: StrayConsumer): Finding<'sweeper'> => ({
  kind: 'consumer-unused',
  thing: keyOf(consumer),
  sentence: `The consumer ${consumer.name} of ${consumer.stream} belongs to no service of this version, and nobody used it.`,
  outcome: { mended: true, how: 'It was removed; whoever needs it makes it again.' },
});

const unknownStream = (name: string): Finding<'sweeper'> => ({
  kind: 'bus-stream-unknown',
  thing: name,
  sentence: `The stream ${name} on the bus has a name like ours, and no service of this version uses it.`,
  outcome: {
    mended: false,
    why: 'It may belong to another program.',
    toDo: `If it is left over from an earlier version, remove it: \`nats stream rm ${name}\`. Nothing of a run is lost with it.`,
  },
});
