import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Heartbeat, type HeartbeatVerdict, millisOf } from '#contracts';
import { type Beat, diagnose } from '#domain';
import { type Clock, type Logger, messageOf } from '#platform';
import type { ComingBus, LiveBus, Timing } from '../surroundings.js';
import { CLOCK, LIVE_BUS, LOGGER, TIMING } from '../tokens.js';

const LOOK_MS = 500;
/** A segment that has been silent for this long is only known from the log. */
const FORGET_MS = 600_000;

/** What is known of a segment from its signs of life. */
export interface Pulse {
  readonly verdict: HeartbeatVerdict;
  /** The last beat of this very segment, if one was heard. */
  readonly beat?: Beat;
}

/**
 * Overhears the heartbeats of all segments. Ages are measured by our own monotonic clock from when we heard them, and
 * only while we could hear: a bus that is away, or was a moment ago, makes nobody silent.
 */
@Injectable()
export class Heartbeats implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly heard = new Map<string, { readonly heartbeat: Heartbeat; readonly at: number }>();
  private bus: LiveBus | undefined;
  private listening: { stop(): void } | undefined;
  /** Since when, by the monotonic clock, the bus has been there without a gap. */
  private hearingSince: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    @Inject(LIVE_BUS) private readonly coming: ComingBus,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(TIMING) private readonly timing: Timing,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
    void this.listen();
  }

  onModuleDestroy(): void {
    this.closed = true;
    clearInterval(this.timer);
    this.listening?.stop();
  }

  /** @param startedAt when the segment began, by the wall clock of whoever recorded it */
  pulseOf(run: string, segment: number, startedAt: string): Pulse {
    this.look();
    const now = this.clock.monotonic();
    if (this.hearingSince === undefined) return { verdict: 'unknown' };
    const last = this.heard.get(run);
    const beat =
      last && last.heartbeat.segment === segment ? { heartbeat: last.heartbeat, ageMs: now - last.at } : undefined;
    const unheardMs = beat?.ageMs ?? Math.max(0, this.clock.now() - millisOf(startedAt));
    const verdict = diagnose(beat, Math.min(unheardMs, now - this.hearingSince), this.timing.patience);
    return { verdict, ...(beat ? { beat } : {}) };
  }

  private async listen(): Promise<void> {
    try {
      const bus = await this.coming.bus;
      if (bus === undefined || this.closed) return;
      this.bus = bus;
      this.listening = bus.listen(`${Heartbeat.subject}.*`, Heartbeat.body, (heartbeat) => {
        this.heard.set(heartbeat.runId, { heartbeat, at: this.clock.monotonic() });
      });
      this.look();
    } catch (error) {
      this.logger.warn({ reason: messageOf(error) }, 'the bus cannot be used; heartbeats stay unknown');
    }
  }

  private look(): void {
    const now = this.clock.monotonic();
    if (!this.bus?.isConnected()) this.hearingSince = undefined;
    else this.hearingSince ??= now;
    for (const [run, { at }] of this.heard) if (now - at > FORGET_MS) this.heard.delete(run);
  }
}
