import type { Activity, RunId } from '#contracts';

/** What the loop tells the thread that beats. */
export interface PulseState {
  readonly runnerId: string;
  readonly runId: RunId;
  readonly segment: number;
  readonly revision: number;
  readonly activity: Activity;
  /** When it began, in nanoseconds of the process's monotonic clock. */
  readonly activityBegan: bigint;
}

export interface PulseStart {
  readonly busUrl: string;
  readonly pid: number;
  /** When the loop last turned, in nanoseconds of the process's monotonic clock. */
  readonly loopTurn: BigInt64Array;
  /** After how long without a turn of the loop the supervisor kills this process, milliseconds. */
  readonly hungMs: number;
}
