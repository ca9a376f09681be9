/**
 * Takes messages from a durable consumer, each as soon as there is somebody free to handle it.
 *
 * C1  A message is asked for only by a slot that is free: no buffer, so no ack clock runs before work begins.
 * C2  The asking survives everything: a lost connection, a wiped storage, a deleted consumer; it makes what is missing.
 * C3  Stopping withdraws the requests, hands back what was on its way, and waits for the handlers that run.
 * C4  A server that refuses to make it is not one that serves, whatever else it does: who is asked for its health says so.
 * C5  A word about a message goes only to the very consumer that delivered it: after a wipe, the next message with the
 *     same number is another one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Msg } from 'nats';
import type { MessageContract } from '#contracts';
import { Misconfigured, messageOf } from '#platform';
import type { Connection } from './connection.js';
import type { BodyOf } from './contract.js';
import { bodyOf, Delivery, deliver, type Handle } from './deliver.js';
import { type Durable, ensureDurable } from './durable.js';
import { type Free, Intake } from './intake.js';
import type { ParkingLot } from './park.js';
import { pull } from './pull.js';
import { Refusals } from './refusals.js';
import type { Streams } from './streams.js';

const REQUEST_EXPIRES_MS = 30_000;
const REPAIR_WAIT_MS = { first: 100, longest: 5_000 };

export interface Consuming {
  /** To be called when `slots()` may say something new. */
  wake(): void;
  /** Takes nothing more and resolves when the running handlers are done. */
  stop(): Promise<void>;
}

/** What can say whether the bus delivers to it. */
export interface Made {
  /** @throws Unavailable when the bus has lately refused to make its consumer, each time */
  assertMade(): void;
}

/** What a consumer needs of the bus. */
interface Surroundings {
  readonly connection: Connection;
  readonly streams: Streams;
  readonly lot: ParkingLot;
}

interface Opened<C extends MessageContract> {
  readonly delivery: Delivery;
  readonly body: BodyOf<C>;
}

/** One durable consumer of one contract, for as long as this process wants its messages. */
export class Consumer<C extends MessageContract> {
  private readonly stopping = new AbortController();
  /** When the consumer on the server was made, once it is known to be there. */
  private made: Promise<string | undefined> | undefined;
  private incarnation: string | undefined;
  private failures = 0;
  private readonly refusals = new Refusals('The bus delivers nothing to a consumer');

  constructor(
    private readonly around: Surroundings,
    private readonly contract: C,
    private readonly durable: Durable,
  ) {}

  consume(handle: Handle<C>, free: Free): Consuming & Made {
    const forgetLost = this.around.connection.onLost(() => this.forget());
    const intake = new Intake<Opened<C>>({
      next: (signal) => this.next(signal),
      handle: ({ delivery, body }) => deliver(delivery, () => handle(body, delivery)),
      handBack: ({ delivery }) => delivery.nak(0),
      free,
    });
    intake.wake();
    return {
      wake: () => intake.wake(),
      stop: async () => {
        this.stopping.abort();
        await intake.stop();
        forgetLost();
      },
      assertMade: () => this.refusals.assertNone(),
    };
  }

  /** The next message that can be read; undefined when the signal was aborted before. */
  private async next(signal: AbortSignal): Promise<Opened<C> | undefined> {
    while (!signal.aborted) {
      const delivery = await this.attempt(signal);
      const opened = delivery && (await bodyOf(delivery, this.contract));
      if (delivery && opened) return { delivery, body: opened.body };
    }
    return undefined;
  }

  private async attempt(signal: AbortSignal): Promise<Delivery | undefined> {
    const made = (this.made ??= this.make());
    const incarnation = await made;
    if (incarnation === undefined || signal.aborted) return undefined;
    const { stream, name: durable } = this.durable;
    const received = (message: Msg): Delivery => this.received(message, incarnation);
    const onLate = (message: Msg): void => void received(message).nak(0);
    const request = { stream, durable, expiresMs: REQUEST_EXPIRES_MS, signal, onLate };
    const pulled = await pull(this.around.connection, request);
    if (pulled.outcome === 'gone' && this.made === made) {
      this.forget();
      this.complain(pulled.reason);
    }
    if (pulled.outcome === 'message' || pulled.outcome === 'nothing') this.failures = 0;
    return pulled.outcome === 'message' ? received(pulled.message) : undefined;
  }

  /** Makes the consumer, however long it takes; undefined when the process wants no more messages before. */
  private async make(): Promise<string | undefined> {
    const { signal } = this.stopping;
    const { connection } = this.around;
    while (!signal.aborted) {
      try {
        if (this.failures > 0) await pause(waitAfter(this.failures), undefined, { signal });
        await connection.whenConnected(signal);
        this.incarnation = await connection.reply(ensureDurable(this.around, this.durable));
        this.refusals.forget();
        return this.incarnation;
      } catch (error) {
        if (signal.aborted) continue;
        this.complain(error);
        if (connection.isConnected()) this.refusals.note(messageOf(error));
      }
    }
    return undefined;
  }

  private forget(): void {
    // One that is still being made goes on by itself.
    if (this.incarnation !== undefined) this.made = undefined;
    this.incarnation = undefined;
    this.refusals.forget();
  }

  private complain(problem: unknown): void {
    this.failures += 1;
    const facts = { durable: this.durable.name, reason: messageOf(problem) };
    if (problem instanceof Misconfigured) this.around.connection.logger.error(facts, 'a consumer cannot be made');
    else this.around.connection.logger.warn(facts, 'a consumer is not there; making it again');
  }

  private received(message: Msg, incarnation: string): Delivery {
    const { connection, lot } = this.around;
    const isHeard = (): boolean => connection.isConnected() && this.incarnation === incarnation;
    return new Delivery(message, { durable: this.durable, lot, logger: connection.logger, isHeard });
  }
}

const waitAfter = (failures: number): number =>
  Math.min(REPAIR_WAIT_MS.longest, REPAIR_WAIT_MS.first * 2 ** Math.min(failures - 1, 10));
