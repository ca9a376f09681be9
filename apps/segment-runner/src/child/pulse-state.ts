import type { Activity, RunId } from '#contracts';

/** What the loop tells the thread that beats. */
export interface PulseState {
  readonly runnerId: string;
  readonly runId: RunId;
  readonly segment: number;
  readonly revision: number;
  readonly activity: Activity;
}

export interface PulseStart {
  readonly busUrl: string;
  readonly pid: number;
  /** When the loop last turned, in nanoseconds of the process's monotonic clock. */
  readonly loopTurn: BigInt64Array;
}
