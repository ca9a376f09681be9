/**
 * Rings doorbells on the work stream so that its last message always tells how far the log has been mirrored.
 *
 * B1  Every message carries `Baton-Position`: up to there, every waking event of the log has been rung. A ring that is
 *     no event's own repeats the position of the message before it; only when there was none, it carries none.
 * B2  Every message names the sequence that it follows, so positions never go back, whoever rings.
 * B3  The message id makes a repeated ring harmless.
 */
import type { Bus } from './bus.js';
import { WrongLastSequence } from './errors.js';
import { WORK_STREAM } from './streams.js';

const POSITION_HEADER = 'Baton-Position';

/** Where the work stream ends: the sequence of its last message (0: it never had one) and the log's position in it. */
export interface Place {
  readonly sequence: number;
  readonly position?: string;
}

export interface Doorbell {
  readonly subject: string;
  readonly body: unknown;
  readonly messageId: string;
}

/** Rings that lose this often in a row to others leave it to their next round. */
const ATTEMPTS = 50;

export class Doorbells {
  constructor(private readonly bus: Pick<Bus, 'publish' | 'lastMessage' | 'lastSequence'>) {}

  /** @throws Unavailable */
  async place(): Promise<Place> {
    const last = await this.bus.lastMessage(WORK_STREAM);
    // A stream that was purged has no message, but goes on counting.
    if (last === undefined) return { sequence: await this.bus.lastSequence(WORK_STREAM) };
    const position = last.headers[POSITION_HEADER];
    return position && /^\d+$/.test(position) ? { sequence: last.sequence, position } : { sequence: last.sequence };
  }

  /**
   * Rings for the event at `position`, as the next message after `follows`.
   * @returns the new place, or undefined when the stream has this message already. @throws WrongLastSequence, Unavailable
   */
  async mirror(doorbell: Doorbell, position: string, follows: Place): Promise<Place | undefined> {
    const { sequence, duplicate } = await this.publish(doorbell, { sequence: follows.sequence, position });
    return duplicate ? undefined : { sequence, position };
  }

  /** Rings once more for something that is not an event of its own. @throws WrongLastSequence, Unavailable */
  async ring(doorbell: Doorbell): Promise<void> {
    await this.ringAll([doorbell]);
  }

  /** Rings one after the other; where the stream ends is asked only when others have rung in between. @see ring */
  async ringAll<B extends Doorbell>(
    doorbells: Iterable<B>,
    onRung: (doorbell: B) => void = () => undefined,
  ): Promise<void> {
    let place: Place | undefined;
    for (const doorbell of doorbells) {
      place = await this.ringBehind(doorbell, place);
      onRung(doorbell);
    }
  }

  /** @returns the place behind the ring; undefined when it is not known, because this was rung before */
  private async ringBehind(doorbell: Doorbell, known: Place | undefined): Promise<Place | undefined> {
    let place = known;
    for (let attempt = 1; ; attempt += 1) {
      place ??= await this.place();
      try {
        const { sequence, duplicate } = await this.publish(doorbell, place);
        return duplicate ? undefined : { ...place, sequence };
      } catch (error) {
        if (!(error instanceof WrongLastSequence) || attempt >= ATTEMPTS) throw error;
        place = undefined;
      }
    }
  }

  private publish({ subject, body, messageId }: Doorbell, { sequence, position }: Place) {
    return this.bus.publish(subject, body, {
      messageId,
      expectedLastSequence: sequence,
      ...(position === undefined ? {} : { headers: { [POSITION_HEADER]: position } }),
    });
  }
}
