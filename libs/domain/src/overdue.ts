import { type OpenRun, turnOf } from './open-runs.js';

/** An open run as a keeper watches it. Moments are the keeper's own monotonic milliseconds. */
export interface Watched {
  readonly run: OpenRun;
  /** When the newest relay event was heard of. */
  readonly heardAt: number;
  /** How often a doorbell was rung since, and when the next one is due. */
  readonly rings: number;
  readonly ringAt: number;
}

const FIRST_RING_AFTER_MS = 3_000;
const LONGEST_BETWEEN_RINGS_MS = 300_000;

/** Begins the watch anew, with each relay event and whenever the keeper could not listen. */
export const watched = (run: OpenRun, now: number): Watched => ({
  run,
  heardAt: now,
  rings: 0,
  ringAt: now + FIRST_RING_AFTER_MS,
});

/** What is remembered of a ring: the next one comes after twice the time. */
export const rung = (entry: Watched, now: number): Watched => ({
  ...entry,
  rings: entry.rings + 1,
  ringAt: now + Math.min(FIRST_RING_AFTER_MS * 2 ** (entry.rings + 1), LONGEST_BETWEEN_RINGS_MS),
});

/** A doorbell that seems to have been lost; `nth` makes its id, so that several keepers ring once. */
export interface Ring<Id> {
  readonly runId: Id;
  readonly whose: 'coordinator' | 'runner';
  readonly run: OpenRun;
  readonly nth: number;
}

/** The open runs that wait for a reaction for longer than any reaction takes, at most `max` of them. */
export function overdue<Id>(open: Iterable<readonly [Id, Watched]>, now: number, max: number): readonly Ring<Id>[] {
  const rings: Ring<Id>[] = [];
  for (const [runId, { run, rings: nth, ringAt }] of open) {
    if (rings.length >= max) break;
    const whose = turnOf(run);
    if (now >= ringAt && (whose === 'coordinator' || whose === 'runner')) rings.push({ runId, whose, run, nth });
  }
  return rings;
}
