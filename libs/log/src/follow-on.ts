import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, messageOf } from '#platform';
import type { Delivery, EventLog, Position } from './event-log.js';

const WAIT_MS = { first: 50, longest: 2_000 };

/** Like `followAll`, but when the log is lost it subscribes again, after what it delivered last, until the signal is aborted. */
export async function* followOn(
  log: EventLog,
  types: readonly string[],
  after: Position | undefined,
  { signal, logger }: { readonly signal: AbortSignal; readonly logger: Logger },
): AsyncGenerator<Delivery, void, void> {
  let position = after;
  let waitMs = WAIT_MS.first;
  while (!signal.aborted) {
    const subscription = log.followAll(types, position);
    const close = (): void => void subscription.close().catch(() => undefined);
    signal.addEventListener('abort', close, { once: true });
    try {
      for await (const delivery of subscription) {
        waitMs = WAIT_MS.first;
        position = reached(delivery) ?? position;
        yield delivery;
      }
    } catch (error) {
      if (!signal.aborted) logger.warn({ reason: messageOf(error) }, 'the log was lost; following it again');
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(2 * waitMs, WAIT_MS.longest);
  }
}

function reached(delivery: Delivery): Position | undefined {
  switch (delivery.kind) {
    case 'event':
      return delivery.event.position;
    case 'checkpoint':
      return delivery.position;
    case 'caught-up':
      return undefined;
  }
}
