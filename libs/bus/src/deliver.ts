/**
 * Settles JetStream messages: nothing else in Baton says ack, nak, term or "working".
 *
 * D1  A delivery gets one final word; a second one is not sent.
 * D2  Ack is said only after the handler has resolved, or when it stood down because another has taken over.
 * D3  Term is said only after a copy of the message is stored in the parking lot; where parking fails, nak.
 * D4  While a handler runs, "working" is said every third of the ack wait, but no longer than the handler's limit.
 * D5  A failed message is nak'ed with its back-off until the deliveries are used up, then parked.
 * D6  A lost word does no harm: the server delivers again. So no word is ever waited for.
 */
import { type Msg, nanos } from 'nats';
import type { MessageContract } from '#contracts';
import { BatonError, type Logger, messageOf, Unavailable } from '#platform';
import { type BodyOf, read } from './contract.js';
import type { Durable } from './durable.js';
import type { ParkingLot, ParkReason } from './park.js';
import { type Headers, plain } from './publish.js';

/** What a handler may know of a message besides its body. */
export interface Arrival {
  readonly subject: string;
  readonly headers: Headers;
  /** Its place in the stream. */
  readonly sequence: number;
  /** 1 at the first delivery. */
  readonly deliveryCount: number;
}

export type Handle<C extends MessageContract> = (body: BodyOf<C>, arrival: Arrival) => Promise<void>;

interface Source {
  readonly durable: Durable;
  readonly lot: ParkingLot;
  readonly logger: Logger;
  /** Whether the consumer that delivered the message is still there to hear what is said about it. */
  readonly isHeard: () => boolean;
}

/** One message that has arrived, waiting for its final word. */
export class Delivery implements Arrival {
  readonly subject: string;
  readonly headers: Headers;
  readonly sequence: number;
  readonly deliveryCount: number;
  private settled = false;

  constructor(
    private readonly message: Msg,
    private readonly source: Source,
  ) {
    this.subject = message.subject;
    this.headers = plain(message.headers);
    // "$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>. ..."; newer servers put a domain and an account in front.
    const tokens = message.reply?.split('.') ?? [];
    const from = tokens.length === 9 ? 4 : 6;
    this.deliveryCount = Number(tokens[from]);
    this.sequence = Number(tokens[from + 1]);
  }

  get durable(): Durable {
    return this.source.durable;
  }

  get logger(): Logger {
    return this.source.logger;
  }

  get bytes(): Uint8Array {
    return this.message.data;
  }

  ack(): void {
    this.say('+ACK', true);
  }

  /** Not now: deliver again after the delay; at the last delivery it is parked instead. */
  async nak(delayMs: number, why = 'handed back'): Promise<void> {
    if (this.deliveryCount >= this.durable.maxDeliver) return await this.park('max-deliveries', why);
    this.say(`-NAK ${JSON.stringify({ delay: nanos(Math.round(delayMs)) })}`, true);
  }

  /** I am at it: starts the ack wait anew. */
  working(): void {
    this.say('+WPI', false);
  }

  /** Never: keeps a copy with the reason, then ends the deliveries. */
  async park(reason: ParkReason, error: string): Promise<void> {
    if (this.settled) return;
    const { subject, sequence, deliveryCount: deliveries, bytes } = this;
    const { stream, name: durable } = this.durable;
    try {
      await this.source.lot.park({ reason, error, stream, durable, subject, sequence, deliveries, bytes });
      this.say('+TERM', true); // with a reason behind it, 2.9 does not understand the word
    } catch (failure) {
      this.logger.warn({ subject, sequence, reason: messageOf(failure) }, 'a message could not be parked');
      this.say(`-NAK ${JSON.stringify({ delay: nanos(this.backoffMs) })}`, true);
    }
  }

  get backoffMs(): number {
    const { backoffMs } = this.durable;
    return backoffMs[Math.min(this.deliveryCount, backoffMs.length) - 1] ?? 0;
  }

  private say(word: string, final: boolean): void {
    if (this.settled) return;
    this.settled = final;
    try {
      if (!this.source.isHeard()) throw new Unavailable('the consumer that delivered the message is away');
      this.message.respond(word);
    } catch (error) {
      this.logger.debug({ subject: this.subject, word, reason: messageOf(error) }, 'the bus did not hear a word');
    }
  }
}

/** The body of a message; undefined when it cannot be read and was parked for it. */
export async function bodyOf<C extends MessageContract>(
  delivery: Delivery,
  contract: C,
): Promise<{ readonly body: BodyOf<C> } | undefined> {
  try {
    return { body: read(delivery.bytes, contract.body, delivery.subject) as BodyOf<C> };
  } catch (error) {
    await delivery.park('unreadable', messageOf(error));
    return undefined;
  }
}

/** Hands one message to its handler and settles it by what comes of it; never rejects. */
export async function deliver(delivery: Delivery, handle: () => Promise<void>): Promise<void> {
  const signals = setInterval(() => delivery.working(), delivery.durable.ackWaitMs / 3);
  const limit = setTimeout(() => {
    clearInterval(signals);
    delivery.logger.error({ subject: delivery.subject }, 'a handler takes too long; its message goes to another');
  }, delivery.durable.handlerLimitMs);
  try {
    await handle();
    delivery.ack();
  } catch (error) {
    await settleFailed(delivery, error);
  } finally {
    clearInterval(signals);
    clearTimeout(limit);
  }
}

async function settleFailed(delivery: Delivery, error: unknown): Promise<void> {
  const remedy = error instanceof BatonError ? error.remedy : undefined;
  const facts = { subject: delivery.subject, deliveryCount: delivery.deliveryCount, reason: messageOf(error) };
  switch (remedy) {
    case 'stand-down':
      delivery.logger.info(facts, 'a handler stood down');
      delivery.ack();
      return;
    case 'give-up':
      await delivery.park('gave-up', messageOf(error));
      return;
    case 'retry':
      delivery.logger.warn(facts, 'a message will be delivered again');
      await delivery.nak(delivery.backoffMs, messageOf(error));
      return;
    case 'tell':
    case undefined:
      delivery.logger.error({ ...facts, err: error }, 'a handler failed');
      await delivery.nak(delivery.backoffMs, messageOf(error));
  }
}
