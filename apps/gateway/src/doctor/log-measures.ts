import { Inject, Injectable } from '@nestjs/common';
import { momentOf, streams } from '#contracts';
import type { Append, Skew, Trips } from '#domain';
import type { EventLog } from '#log';
import { type Clock, messageOf, newId } from '#platform';
import { CLOCK, EVENT_LOG } from '../tokens.js';

const TRIPS = 5;
const PROBES_KEPT = 10;

/** What the event log answers, and how fast. */
@Injectable()
export class LogMeasures {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async trips(): Promise<Trips> {
    try {
      const tripsMs: number[] = [];
      for (let trip = 0; trip < TRIPS; trip += 1) {
        const from = this.clock.monotonic();
        await this.log.ping();
        tripsMs.push(this.clock.monotonic() - from);
      }
      return { tripsMs };
    } catch (error) {
      return { failed: messageOf(error) };
    }
  }

  /** Appends to a stream of its own, reads it back, and finds out how far the log's clock is from ours. */
  async append(): Promise<{ readonly append: Append; readonly skew?: Skew }> {
    const stream = streams.probe('doctor');
    const id = newId();
    const [from, askedAt] = [this.clock.monotonic(), this.clock.now()];
    try {
      const data = { at: momentOf(askedAt) };
      const { revision } = await this.log.append(stream, [{ id, type: 'DoctorProbed', data, metadata: {} }], 'any');
      const appendMs = this.clock.monotonic() - from;
      if (revision === 0) await this.log.limit(stream, { newest: PROBES_KEPT });
      const last = await this.log.last(stream);
      const append = { appendMs, readBack: last !== undefined && last.revision >= revision, revision };
      if (last?.id !== id) return { append };
      return {
        append,
        skew: { who: 'the event log', skewMs: last.created - (askedAt + appendMs / 2), unsureMs: appendMs / 2 },
      };
    } catch (error) {
      return { append: { failed: messageOf(error) } };
    }
  }
}
