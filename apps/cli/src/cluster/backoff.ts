/** When a service is started again after it died, in milliseconds. */
export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
  /** A service that lived so long is healthy: its next death counts as the first. */
  readonly healthyMs: number;
}

export const BACKOFF: Backoff = { firstMs: 100, mostMs: 10_000, healthyMs: 30_000 };

/** How many deaths in a row this one is, given how long the service lived. */
export function deathsInARow(before: number, livedMs: number, { healthyMs }: Backoff): number {
  return livedMs >= healthyMs ? 1 : before + 1;
}

/** The wait before the next start: doubled with every death in a row, up to the most. */
export function waitMs(deaths: number, { firstMs, mostMs }: Backoff): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(deaths - 1, 30));
}
