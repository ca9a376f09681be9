import type { Recorded, RunEvent } from '#contracts';

/** The log's word for a death: seen by the supervisor of the process, or presumed by the sweeper. */
export const isDeath = ({ event }: Recorded<RunEvent>): boolean =>
  event.type === 'RunPresumedDead' || (event.type === 'SegmentEnded' && event.data.reason === 'crashed');
