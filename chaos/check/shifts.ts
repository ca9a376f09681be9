import { textOf } from './calls.js';
import type { Absence, LoggedEvent } from './facts.js';

/** One segment at work, by the log. Moments: milliseconds since 1970. */
export interface Shift {
  readonly segment: number;
  readonly pid: number | undefined;
  readonly from: number;
  readonly until: number;
  /** It ended as it wished, and not by a death. */
  readonly isOrderly: boolean;
}

/** An end that was on its way when the fault struck may arrive so late, in milliseconds. */
const ON_ITS_WAY_MS = 1_000;
/** The system goes through all of its numbers before it gives one again; that takes minutes, also under load (milliseconds). */
const NUMBER_AGAIN_MS = 30_000;
/** Whoever can be neither heard nor seen is presumed dead after this, milliseconds. */
const SILENCE_MS = 5_000;
/** It begins with the last beat, takes two looks a second, and everything is slower on a full machine. */
const SLACK_MS = 1_500;

/** The segments of a run that had begun. */
export function shiftsOf(events: readonly LoggedEvent[]): readonly Shift[] {
  const shifts: Shift[] = [];
  for (const { type, data, created } of events) {
    const last = shifts.at(-1);
    if (type === 'SegmentStarted') {
      const { pid } = (data['runner'] ?? {}) as { readonly pid?: number };
      shifts.push({
        segment: Number(textOf(data['segment'])),
        pid,
        from: created,
        until: Number.POSITIVE_INFINITY,
        isOrderly: false,
      });
    } else if (last?.until === Number.POSITIVE_INFINITY && (type === 'SegmentEnded' || type === 'RunPresumedDead')) {
      shifts[shifts.length - 1] = {
        ...last,
        until: created,
        isOrderly: type === 'SegmentEnded' && data['reason'] !== 'crashed',
      };
    }
  }
  return shifts;
}

/**
 * Whether it was the process that had begun its segment then, and not an earlier one of the same number: the system gives numbers
 * again. What a process has sent before it was killed may be recorded a while later; no number comes again so soon.
 * @param begunAt undefined when nobody knows: then the number decides
 */
export const isOfProcess = (absence: Absence, pid: number | undefined, begunAt: number | undefined): boolean =>
  pid === absence.pid && (begunAt === undefined || (absence.until ?? absence.from) > begunAt - NUMBER_AGAIN_MS);

/** Whether the fault took this segment's process from its work, for so long that it must have been missed. */
export function isInterrupted(shift: Shift, { pid, how, from, until }: Absence): boolean {
  if (shift.pid !== pid || shift.from > from || shift.until < from) return false;
  // Who was woken, or was heard again, and went on in good order, was not missed; what that cost him is a standstill.
  if (shift.isOrderly && (how !== 'killed' || shift.until < from + ON_ITS_WAY_MS)) return false;
  return how === 'killed' || (until ?? from) - from > SILENCE_MS + SLACK_MS;
}
