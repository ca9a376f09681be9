import type { Heartbeat, HeartbeatVerdict } from '#contracts';
import { millisOf } from '#contracts';

/** The last sign of life of a segment, and how long ago it was heard by the listener's own monotonic clock. */
export interface Beat {
  readonly heartbeat: Heartbeat;
  readonly ageMs: number;
}

/** How patient the watcher is, in milliseconds. */
export interface Patience {
  /** Beats come every second; after this long without one the segment is silent. */
  readonly lateMs: number;
  /** Silence for this long is death. A process that was held up of late gets as much more, three times this at the most. */
  readonly deadMs: number;
  /** An activity that takes longer than this is shown as slow. */
  readonly slowMs: number;
  /** A loop that has not turned for longer than this is shown as slow. */
  readonly loopMs: number;
}

export const DEFAULT_PATIENCE: Patience = { lateMs: 2_500, deadMs: 5_000, slowMs: 30_000, loopMs: 5_000 };

/**
 * Alive, slow, stuck, silent and dead are different things. Ages are measured by the listener, so that clocks of other
 * machines, and jumps of any clock, declare nobody dead.
 * @param silentMs how long nothing was heard, also when no beat was ever heard
 */
export function diagnose(beat: Beat | undefined, silentMs: number, patience: Patience): HeartbeatVerdict {
  const heldUpMs = beat?.heartbeat.heldUpMs ?? 0;
  if (silentMs >= Math.min(patience.deadMs + heldUpMs, 3 * patience.deadMs)) return 'presumed-dead';
  if (silentMs >= patience.lateMs) return 'silent';
  if (!beat) return 'unknown';
  const { activity, loopAgeMs } = beat.heartbeat;
  const activityMs = activityMsOf(beat);
  if (activity.limitMs !== undefined && activityMs > activity.limitMs) return 'stuck';
  return heldUpMs > 0 || activityMs > patience.slowMs || loopAgeMs > patience.loopMs ? 'slow' : 'alive';
}

/** How long the activity of the last beat has taken by now, milliseconds. Older runners tell moments only. */
export function activityMsOf({ heartbeat, ageMs }: Beat): number {
  const { activity, sentAt, activityAgeMs = millisOf(sentAt) - millisOf(activity.since) } = heartbeat;
  return Math.max(0, activityAgeMs + ageMs);
}
