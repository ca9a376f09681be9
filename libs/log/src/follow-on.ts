import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, messageOf } from '#platform';
import type { Delivery, EventLog, Position, Subscription } from './event-log.js';

const WAIT_MS = { first: 50, longest: 2_000 };

export interface Following {
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Like `followAll`, but when the log is lost it subscribes again, after what it delivered last, until the signal is aborted. */
export const followOn = (
  log: EventLog,
  types: readonly string[],
  after: Position | undefined,
  following: Following,
): AsyncGenerator<Delivery, void, void> =>
  followAgain((position) => log.followAll(types, position), after, positionOf, following);

/** Like `follow`, through every outage of the log, until the signal is aborted. */
export const followStreamOn = (
  log: EventLog,
  stream: string,
  after: number,
  following: Following,
): AsyncGenerator<Delivery, void, void> =>
  followAgain((revision) => log.follow(stream, revision), after, revisionOf, following);

async function* followAgain<Place>(
  subscribe: (after: Place) => Subscription<Delivery>,
  after: Place,
  placeOf: (delivery: Delivery) => Place | undefined,
  { signal, logger }: Following,
): AsyncGenerator<Delivery, void, void> {
  let place = after;
  let waitMs = WAIT_MS.first;
  while (!signal.aborted) {
    const subscription = subscribe(place);
    const close = (): void => void subscription.close().catch(() => undefined);
    signal.addEventListener('abort', close, { once: true });
    try {
      for await (const delivery of subscription) {
        waitMs = WAIT_MS.first;
        place = placeOf(delivery) ?? place;
        yield delivery;
      }
    } catch (error) {
      if (!signal.aborted) logger.warn({ reason: messageOf(error) }, 'the log was lost; following it again');
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
    await pause(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    waitMs = Math.min(2 * waitMs, WAIT_MS.longest);
  }
}

function positionOf(delivery: Delivery): Position | undefined {
  switch (delivery.kind) {
    case 'event':
      return delivery.event.position;
    case 'checkpoint':
      return delivery.position;
    case 'caught-up':
      return undefined;
  }
}

const revisionOf = (delivery: Delivery): number | undefined =>
  delivery.kind === 'event' ? delivery.event.revision : undefined;
