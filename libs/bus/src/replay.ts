import type { Bus } from './bus.js';
import { Doorbells } from './doorbells.js';
import { NotReplayable } from './errors.js';
import type { Parked } from './park.js';

type ReplayBus = Pick<Bus, 'parkedMessage' | 'dropParked' | 'publish' | 'lastMessage' | 'lastSequence'>;

/**
 * Puts a parked message on the work stream once more, as a doorbell among the others, and forgets that it was parked.
 * Repeated within two minutes it is the same message.
 * @returns it, or undefined when there is none of this number @throws NotReplayable, Unavailable
 */
export async function replayParked(bus: ReplayBus, number: number): Promise<Parked | undefined> {
  const parked = await bus.parkedMessage(number);
  if (!parked) return undefined;
  const { subject, body, at } = parked;
  if (typeof body !== 'object' || body === null)
    throw new NotReplayable(`The parked message ${number} is no JSON object: nobody could read it again. Drop it.`);
  await new Doorbells(bus).ring({ subject, body, messageId: `replay/${number}/${at}` });
  await bus.dropParked(number);
  return parked;
}
