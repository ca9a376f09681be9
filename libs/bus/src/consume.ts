/**
 * Takes messages from a durable consumer, each as soon as there is somebody free to handle it.
 *
 * C1  A message is asked for only by a slot that is free: no buffer, so no ack clock runs before work begins.
 * C2  Every slot survives everything: a lost connection, a wiped storage, a deleted consumer; it makes what is missing.
 * C3  Stopping withdraws the requests, hands back what was on its way, and waits for the handlers that run.
 * C4  Every process that consumes also parks what the server gave up on (its handler killed the process each time).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Msg } from 'nats';
import { messageOf, systemClock } from '#platform';
import type { Connection } from './connection.js';
import type { BodyOf, MessageContract } from './contract.js';
import { type Arrival, bodyOf, Delivery, deliver, type Handle } from './deliver.js';
import { type Durable, ensureDurable } from './durable.js';
import type { ParkingLot } from './park.js';
import { pull } from './pull.js';
import type { Streams } from './streams.js';

const SLOT_EXPIRES_MS = 30_000;
const REPAIR_WAIT_MS = { first: 100, longest: 5_000 };

/** A message taken by hand: the taker settles it. Until then the server waits `ackWaitMs` from the last `working()`. */
export interface Taken<C extends MessageContract> extends Arrival {
  readonly body: BodyOf<C>;
  ack(): void;
  nak(delayMs: number, why?: string): Promise<void>;
  working(): void;
}

export interface TakeOptions {
  readonly expiresMs: number;
  readonly signal: AbortSignal;
}

export interface Consuming {
  /** Takes nothing more and resolves when the running handlers are done. */
  stop(): Promise<void>;
}

/** One durable consumer of one contract. */
export class Consumer<C extends MessageContract> {
  private ready: Promise<void> | undefined;
  private failures = 0;

  constructor(
    private readonly connection: Connection,
    private readonly streams: Streams,
    private readonly lot: ParkingLot,
    private readonly contract: C,
    private readonly durable: Durable,
  ) {}

  /** Keeps `concurrency` slots, each taking and handling one message at a time. */
  consume(handle: Handle<C>, concurrency: number): Consuming {
    const stopping = new AbortController();
    const slots = Promise.all(Array.from({ length: concurrency }, () => this.slot(handle, stopping.signal)));
    return {
      stop: async () => {
        stopping.abort();
        await slots;
      },
    };
  }

  /** The next message, or undefined when none came in time or the signal was aborted; never rejects for the bus. */
  async take({ expiresMs, signal }: TakeOptions): Promise<Taken<C> | undefined> {
    const taken = await this.next({ expiresMs, signal });
    if (taken === undefined) return undefined;
    const { delivery, body } = taken;
    const { subject, headers, sequence, deliveryCount } = delivery;
    return {
      body,
      subject,
      headers,
      sequence,
      deliveryCount,
      ack: () => delivery.ack(),
      nak: (delayMs, why) => delivery.nak(delayMs, why),
      working: () => delivery.working(),
    };
  }

  private async slot(handle: Handle<C>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const taken = await this.next({ expiresMs: SLOT_EXPIRES_MS, signal });
      if (taken !== undefined) await deliver(taken.delivery, () => handle(taken.body, taken.delivery));
    }
  }

  private async next({ expiresMs, signal }: TakeOptions) {
    const until = systemClock.monotonic() + expiresMs;
    // Not AbortSignal.any: with a long-lived signal it keeps every signal that was ever made from it.
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const timer = setTimeout(end, expiresMs);
    signal.addEventListener('abort', end, { once: true });
    try {
      for (let left = expiresMs; left > 0 && !signal.aborted; left = until - systemClock.monotonic()) {
        const delivery = await this.attempt(left, signal, ending.signal);
        const opened = delivery && (await bodyOf(delivery, this.contract));
        if (delivery && opened) return { delivery, body: opened.body };
      }
      return undefined;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }

  /** One request to the server; what is missing is made before it, or after a pause at the next attempt. */
  private async attempt(expiresMs: number, signal: AbortSignal, ended: AbortSignal): Promise<Delivery | undefined> {
    try {
      await this.connection.whenConnected(ended);
      this.ready ??= ensureDurable(this.connection, this.streams, this.durable);
      await this.ready;
      const { stream, name } = this.durable;
      const onLate = (message: Msg) => void this.received(message).nak(0);
      const pulled = await pull(this.connection, { stream, durable: name, expiresMs, signal, onLate });
      if (pulled.outcome === 'gone') throw new Error(pulled.reason);
      this.failures = 0;
      return pulled.outcome === 'message' ? this.received(pulled.message) : undefined;
    } catch (error) {
      this.ready = undefined;
      if (ended.aborted) return undefined;
      await this.pauseAfter(error, ended);
      return undefined;
    }
  }

  private async pauseAfter(error: unknown, signal: AbortSignal): Promise<void> {
    this.failures += 1;
    const facts = { durable: this.durable.name, reason: messageOf(error) };
    this.connection.logger.warn(facts, 'a consumer is not there; making it again');
    const waitMs = Math.min(REPAIR_WAIT_MS.longest, REPAIR_WAIT_MS.first * 2 ** Math.min(this.failures - 1, 10));
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
  }

  private received(message: Msg): Delivery {
    return new Delivery(message, this.durable, this.lot, this.connection.logger);
  }
}
