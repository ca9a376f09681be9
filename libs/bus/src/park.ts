import { z } from 'zod';
import type { MessageContract } from '#contracts';
import { type Logger, messageOf, systemClock } from '#platform';
import type { Connection } from './connection.js';
import { isNoMessage, isNotFound, MessageTooLarge, translated } from './errors.js';
import { type Publisher, type StoredMessage, storedMessage } from './publish.js';
import { PARKED_PREFIX, PARKED_STREAM, UNDELIVERED_NOTICE, UNDELIVERED_STREAM } from './streams.js';

export type ParkReason = 'unreadable' | 'gave-up' | 'max-deliveries';

/** A message that will not be handled, and why. */
export interface Unhandled {
  readonly reason: ParkReason;
  readonly error: string;
  readonly stream: string;
  readonly durable: string;
  readonly subject: string;
  readonly sequence: number;
  readonly deliveries: number;
  readonly bytes: Uint8Array;
}

/** A parked message. */
export interface Parked extends Omit<Unhandled, 'bytes'> {
  /** Its own place among the parked ones. */
  readonly number: number;
  /** When it was parked, ISO 8601. */
  readonly at: string;
  readonly body: unknown;
}

/** The server's notice that it delivered a message as often as allowed and heard nothing. */
export const Undelivered = {
  subject: UNDELIVERED_NOTICE,
  body: z.object({ stream: z.string(), consumer: z.string(), stream_seq: z.number(), deliveries: z.number() }),
} satisfies MessageContract;

/** The place for messages that nobody could handle: kept, with the reason, until a person has looked. */
export class ParkingLot {
  constructor(
    private readonly connection: Connection,
    private readonly publisher: Publisher,
    private readonly logger: Logger,
  ) {}

  /** Resolves when the copy is stored; parking the same message twice in a row stores it once. */
  async park({ bytes, ...unhandled }: Unhandled): Promise<void> {
    const { reason, error, stream, durable, subject, sequence, deliveries } = unhandled;
    const options = {
      messageId: `parked ${stream} ${durable} ${sequence}`,
      headers: {
        'Baton-Reason': reason,
        'Baton-Error': error.slice(0, 1_000),
        'Baton-Stream': stream,
        'Baton-Durable': durable,
        'Baton-Subject': subject,
        'Baton-Sequence': String(sequence),
        'Baton-Deliveries': String(deliveries),
        'Baton-Parked-At': new Date(systemClock.now()).toISOString(),
      },
    };
    const to = `${PARKED_PREFIX}.${subject}`;
    try {
      await this.publisher.put(to, bytes, options);
    } catch (tooLarge) {
      // The headers may push a message of just the allowed size over the limit; the original is still in its stream.
      if (!(tooLarge instanceof MessageTooLarge)) throw tooLarge;
      await this.publisher.put(to, new Uint8Array(), options);
    }
    this.logger.error(unhandled, 'a message was parked');
  }

  /** Parks what a notice of the server is about. Where the stream has dropped the message, the notice alone is parked. */
  async parkUndelivered({
    stream,
    consumer,
    stream_seq,
    deliveries,
  }: z.output<typeof Undelivered.body>): Promise<void> {
    const original = await this.stored(stream, stream_seq);
    await this.park({
      reason: 'max-deliveries',
      error: `Delivered ${deliveries} times and never settled: its handler died or hung each time.`,
      stream,
      durable: consumer,
      subject: original?.subject ?? `${stream}.${stream_seq}`,
      sequence: stream_seq,
      deliveries,
      bytes: original?.bytes ?? new Uint8Array(),
    });
  }

  /** How many are parked, and the newest of them, newest first. @throws Unavailable */
  async list(limit: number): Promise<{ readonly total: number; readonly newest: readonly Parked[] }> {
    const doing = 'Listing the parked messages';
    this.connection.assertConnected(doing);
    try {
      const { state } = await this.connection.jsm.streams.info(PARKED_STREAM);
      const newest: Parked[] = [];
      const wanted = Math.min(limit, state.messages);
      for (let sequence = state.last_seq; sequence >= state.first_seq && newest.length < wanted; sequence -= 1) {
        const stored = await storedMessage(this.connection, PARKED_STREAM, sequence);
        if (stored !== undefined) newest.push(parkedOf(stored));
      }
      return { total: state.messages, newest };
    } catch (error) {
      if (isNotFound(error)) return { total: 0, newest: [] };
      throw translated(error, doing);
    }
  }

  /** Those after a number, oldest first; the numbers begin anew when the bus was wiped. @throws Unavailable */
  async since(number: number, limit: number): Promise<readonly Parked[]> {
    const doing = 'Reading the parked messages';
    this.connection.assertConnected(doing);
    try {
      const { state } = await this.connection.jsm.streams.info(PARKED_STREAM);
      const after = number > state.last_seq ? 0 : number;
      const found: Parked[] = [];
      for (let sequence = Math.max(state.first_seq, after + 1); sequence <= state.last_seq; sequence += 1) {
        if (found.length >= limit) break;
        const stored = await storedMessage(this.connection, PARKED_STREAM, sequence);
        if (stored !== undefined) found.push(parkedOf(stored));
      }
      return found;
    } catch (error) {
      if (isNotFound(error)) return [];
      throw translated(error, doing);
    }
  }

  /** Undefined when there is none of this number. @throws Unavailable */
  async one(number: number): Promise<Parked | undefined> {
    const stored = await this.stored(PARKED_STREAM, number);
    return stored && parkedOf(stored);
  }

  /** Forgets a parked message; false when there was none. @throws Unavailable */
  async drop(number: number): Promise<boolean> {
    const doing = `Dropping the parked message ${number}`;
    this.connection.assertConnected(doing);
    try {
      return await this.connection.jsm.streams.deleteMessage(PARKED_STREAM, number);
    } catch (error) {
      if (isNotFound(error) || isNoMessage(error)) return false;
      throw translated(error, doing);
    }
  }

  private async stored(stream: string, sequence: number) {
    try {
      return await storedMessage(this.connection, stream, sequence);
    } catch (error) {
      throw translated(error, `Reading message ${sequence} of ${stream}: ${messageOf(error)}`);
    }
  }
}

/** Who reads the server's notices; every process that consumes takes its turn. */
export const UNDELIVERED_DURABLE = { stream: UNDELIVERED_STREAM, name: 'bus-park-undelivered' } as const;

const REASONS: readonly string[] = ['unreadable', 'gave-up', 'max-deliveries'] satisfies ParkReason[];
const isReason = (text: string): text is ParkReason => REASONS.includes(text);

function parkedOf({ sequence, headers, body }: StoredMessage): Parked {
  const reason = headers['Baton-Reason'] ?? '';
  return {
    number: sequence,
    reason: isReason(reason) ? reason : 'unreadable',
    error: headers['Baton-Error'] ?? '',
    stream: headers['Baton-Stream'] ?? '',
    durable: headers['Baton-Durable'] ?? '',
    subject: headers['Baton-Subject'] ?? '',
    sequence: Number(headers['Baton-Sequence']),
    deliveries: Number(headers['Baton-Deliveries']),
    at: headers['Baton-Parked-At'] ?? '',
    body,
  };
}
