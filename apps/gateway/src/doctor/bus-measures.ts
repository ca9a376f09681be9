import { Inject, Injectable } from '@nestjs/common';
import { Doorbells } from '#bus';
import { AskService, millisOf, WAKING_EVENTS, WORK_CONSUMERS } from '#contracts';
import type { Mirroring, Parking, Present, Skew, Taking, Trips } from '#domain';
import type { EventLog } from '#log';
import { type Clock, messageOf, Unavailable } from '#platform';
import type { ComingBus, LiveBus } from '../surroundings.js';
import { CLOCK, EVENT_LOG, LIVE_BUS } from '../tokens.js';

const TRIPS = 5;
/** Everybody has this long to say that they are there, milliseconds. */
const ANSWERS_MS = 1_500;
const MOST_BEHIND = 1_000;

/** What the bus and the services on it answer. */
@Injectable()
export class BusMeasures {
  private bus: LiveBus | undefined;

  constructor(
    @Inject(LIVE_BUS) coming: ComingBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    void coming.bus.then((bus) => (this.bus = bus)).catch(() => undefined);
  }

  async trips(): Promise<Trips> {
    try {
      const check = this.there().health();
      const tripsMs: number[] = [];
      for (let trip = 0; trip < TRIPS; trip += 1) {
        const from = this.clock.monotonic();
        await check.check();
        tripsMs.push(this.clock.monotonic() - from);
      }
      return { tripsMs };
    } catch (error) {
      return { failed: messageOf(error) };
    }
  }

  /** Everybody who is there, and how far their clocks are from ours. @throws Unavailable */
  async present(): Promise<{ readonly present: readonly Present[]; readonly skews: readonly Skew[] }> {
    const askedAt = this.clock.now();
    const present = await this.there().askAll(AskService.subject, {}, AskService.answer, { forMs: ANSWERS_MS });
    const skews = present.map(({ answer, afterMs }) => ({
      who: `${answer.service} on ${answer.host}`,
      skewMs: millisOf(answer.now) - (askedAt + afterMs / 2),
      unsureMs: afterMs / 2,
    }));
    return { present, skews };
  }

  /** How far the mirror is behind the log. @throws Unavailable */
  async mirroring(): Promise<Mirroring> {
    const { position } = await new Doorbells(this.there()).place();
    const now = this.clock.now();
    let [behind, oldest] = [0, now];
    for await (const { created } of this.log.readAll(WAKING_EVENTS, position)) {
      if (behind === 0) oldest = created;
      behind += 1;
      if (behind >= MOST_BEHIND) break;
    }
    return { behind, oldestMs: Math.max(0, now - oldest) };
  }

  /** @throws Unavailable */
  async parking(): Promise<Parking> {
    const { total, newest } = await this.there().parked(1);
    const [last] = newest;
    return { total, ...(last ? { newest: last } : {}) };
  }

  /** @throws Unavailable */
  async taking(): Promise<readonly Taking[]> {
    const bus = this.there();
    return Promise.all(
      Object.values(WORK_CONSUMERS).map(async (consumer) => ({
        consumer,
        state: (await bus.consumerState(consumer)) ?? ('missing' as const),
      })),
    );
  }

  private there(): LiveBus {
    if (this.bus) return this.bus;
    throw new Unavailable('The gateway has not found the bus since it started.');
  }
}
