import type { z } from 'zod';
import type { Bus } from '#bus';
import type { SomeCaps } from '#contracts';
import type { Patience } from '#domain';
import type { EventLog } from '#log';
import type { Clock, Logger } from '#platform';

/** What the gateway needs of the bus: to overhear, and to ask for the doctor. It tells nobody anything. */
export interface LiveBus
  extends Pick<Bus, 'health' | 'askAll' | 'parked' | 'consumerState' | 'publish' | 'lastMessage' | 'lastSequence'> {
  isConnected(): boolean;
  listen<S extends z.ZodType>(
    subject: string,
    schema: S,
    handler: (body: z.output<S>, subject: string) => void | Promise<void>,
  ): { stop(): void };
}

/** The bus as the place of parked messages; undefined until it is there. */
export interface Parking {
  bus?: Pick<
    Bus,
    'isConnected' | 'parked' | 'parkedMessage' | 'dropParked' | 'publish' | 'lastMessage' | 'lastSequence'
  >;
}

/** A bus that may never be there; in a box, because Nest would wait for a bare promise. */
export interface ComingBus {
  readonly bus: Promise<LiveBus | undefined>;
}

/** Durations in milliseconds. */
export interface Timing {
  /** A viewer who has nothing to see is sent a sign of life this often. */
  readonly keepAliveMs: number;
  /** A WebSocket that has taken nothing for this long is dropped. */
  readonly deadViewerMs: number;
  readonly patience: Patience;
}

/** What this server allows at most, whatever agents and runs ask for. */
export interface Limits {
  readonly caps: SomeCaps;
  /** Runs of a tenant that are open at the same time. */
  readonly openRuns: number;
}

export interface Surroundings {
  readonly log: EventLog;
  /** Never waited for: until it is there, nothing is known of heartbeats. */
  readonly bus?: LiveBus | Promise<LiveBus>;
  readonly parking?: Promise<NonNullable<Parking['bus']>>;
  readonly apiKey: string;
  /** The file that the key was read from, for the doctor to look at. */
  readonly keyFile?: string | undefined;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly timing?: Partial<Timing>;
  readonly limits?: Limits;
}
