/** When a service is started again after it died, in milliseconds. */
export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
  /** A service that was ready for so long is healthy: its next death counts as the first. */
  readonly healthyMs: number;
}

/**
 * Work waits for whoever was killed, so one that served is there again at once. One that dies every few seconds boots twice
 * as often as with the longest wait; one that does not get as far as being ready waits longer and longer.
 */
export const BACKOFF: Backoff = { firstMs: 100, mostMs: 10_000, healthyMs: 4_000 };

/** How many deaths in a row this one is, given how long the service had been ready. */
export function deathsInARow(before: number, readyForMs: number, { healthyMs }: Backoff): number {
  return readyForMs >= healthyMs ? 1 : before + 1;
}

/** The wait before the next start: doubled with every death in a row, up to the most. */
export function waitMs(deaths: number, { firstMs, mostMs }: Backoff): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(deaths - 1, 30));
}
