/** Since when the sweeper hears without a break, by its own monotonic clock in milliseconds; undefined while it is deaf. */
export interface Ears {
  readonly openSince: number | undefined;
  readonly lastTick: number;
}

/** A tick that comes later than this has been held up: what was said meanwhile may be lost or unread. */
const LATEST_TICK_MS = 1_500;

/** One tick of listening: a lost connection closes the ears, a stall or a gap begins the hearing anew. */
export function prickUp(ears: Ears | undefined, now: number, connected: boolean): Ears {
  if (!connected) return { openSince: undefined, lastTick: now };
  const unbroken = ears?.openSince !== undefined && now - ears.lastTick <= LATEST_TICK_MS;
  return { openSince: unbroken ? ears.openSince : now, lastTick: now };
}

/** For how long a segment was silent while it could have been heard. */
export const silentMs = ({ openSince }: Ears, heardAt: number, now: number): number =>
  openSince === undefined ? 0 : now - Math.max(heardAt, openSince);

/** A beat that is this late is a reason to look for the process and to ask, milliseconds. */
const LATE_MS = 1_500;

/** Whether a sign of life is so late that somebody should look into it. */
export const isLate = (silenceMs: number, deadMs: number): boolean => silenceMs >= Math.min(LATE_MS, deadMs / 2);

/**
 * Whether to ask the segment itself. Nobody there to answer is taken for death only of a segment that was heard before
 * and after the ears were open for the full patience: a bus that was away must first be found again by everybody.
 */
export function worthAsking(
  ears: Ears,
  heard: { readonly at: number; readonly beaten: boolean },
  now: number,
  deadMs: number,
): boolean {
  if (ears.openSince === undefined || !heard.beaten) return false;
  return isLate(silentMs(ears, heard.at, now), deadMs) && now - ears.openSince >= deadMs;
}
