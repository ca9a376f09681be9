import { z } from 'zod';
import { type Activity, AskSegment, Heartbeat, momentOf } from '#contracts';
import type { ChildParts } from '../../apps/segment-runner/src/child/child.js';
import type { BusPort } from './bus-port.js';

const BEAT_MS = 1_000;

/** What a beat tells of the segment: it changes in place, with each step. */
interface State extends Pick<Heartbeat, 'runId' | 'segment' | 'runnerId'> {
  revision: number;
  activity: Activity;
}

/** The heartbeat of a child: what the thread of the real one does, once a second. */
export function pulseOf(bus: BusPort, pid: number): ChildParts['pulse'] {
  let state: State | undefined;
  let answering: ReturnType<BusPort['answer']> | undefined;
  const beat = (): void => {
    if (!state || !bus.isConnected()) return;
    const { runId, segment, runnerId, revision, activity: doing } = state;
    const sentAt = momentOf(Date.now());
    const body: Heartbeat = { pid, sentAt, loopAgeMs: 0, runId, segment, runnerId, revision, activity: doing };
    bus.emit(`${Heartbeat.subject}.${state.runId}`, body);
  };
  setInterval(beat, BEAT_MS);
  const activity = (kind: Activity['kind'], detail: string, limitMs?: number): Activity => {
    const since = momentOf(Date.now());
    const about = detail.slice(0, 500);
    return limitMs ? { kind, detail: about, since, limitMs } : { kind, detail: about, since };
  };
  return {
    ready: Promise.resolve(),
    begin: ({ runId, segment, runnerId }, revision) => {
      if (state?.runId !== runId || state.segment !== segment) {
        void answering?.stop();
        const subject = `${AskSegment.subject}.${runId}.${segment}`;
        answering = bus.answer(subject, z.object({}), () => Promise.resolve({ alive: true }));
      }
      state = { runId, segment, runnerId, revision, activity: activity('starting', '') };
      beat();
    },
    doing: (kind, detail, limitMs) => {
      if (state) state.activity = activity(kind, detail, limitMs);
    },
    recorded: (revision) => {
      if (state) state.revision = revision;
    },
    end: () => {
      state = undefined;
      void answering?.stop();
      answering = undefined;
    },
  };
}
