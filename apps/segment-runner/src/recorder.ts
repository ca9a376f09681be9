import type { Recorder } from '#log';

/** Whom a segment's own events are recorded for. */
export const segmentRecorder = (runnerId: string, segment: number): Recorder<'segment-runner'> => ({
  app: 'segment-runner',
  id: `${runnerId}/${segment}`,
});
