import type { Readable } from 'node:stream';
import { Deliveries } from './deliveries.js';
import type { Delivery, Position, Subscription } from './event-log.js';
import { failureOf } from './failure-of.js';
import { type ClientEvent, stored } from './stored.js';

/** How many deliveries may wait for the reader before the subscription is paused. */
const WAITING = 512;

/**
 * Turns the client's subscription (an object stream) into one ordered iteration of deliveries. The stream is paused while the
 * reader is behind; it ends with `Unavailable` when the connection is lost.
 */
export function followStore(open: (checkpoint: (position: Position) => void) => unknown): Subscription<Delivery> {
  const deliveries = new Deliveries<Delivery>();
  const source = open((position) => deliveries.push({ kind: 'checkpoint', position })) as Readable;
  source.on('data', (resolved: { event?: ClientEvent }) => {
    if (resolved.event) deliveries.push({ kind: 'event', event: stored(resolved.event) });
    if (deliveries.waiting > WAITING) source.pause();
  });
  source.on('caughtUp', () => deliveries.push({ kind: 'caught-up' }));
  source.on('error', (error) => deliveries.fail(failureOf(error)));
  source.on('end', () => deliveries.fail(failureOf(new Error('the subscription was ended'))));
  source.on('close', () => deliveries.fail(failureOf(new Error('the subscription was closed'))));
  deliveries.onDrained = () => source.resume();
  return {
    [Symbol.asyncIterator]: () => deliveries[Symbol.asyncIterator](),
    close: () => {
      deliveries.end();
      source.destroy();
      return Promise.resolve();
    },
  };
}
