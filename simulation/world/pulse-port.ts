import { z } from 'zod';
import { type Activity, AskSegment, Heartbeat, momentOf } from '#contracts';
import type { ChildParts } from '../../apps/segment-runner/src/child/child.js';
import type { BusPort } from './bus-port.js';

const BEAT_MS = 1_000;

/** The heartbeat of a child: what the thread of the real one does, once a second. */
export function pulseOf(bus: BusPort, pid: number): ChildParts['pulse'] {
  let state: Omit<Heartbeat, 'pid' | 'sentAt' | 'loopAgeMs'> | undefined;
  let answering: ReturnType<BusPort['answer']> | undefined;
  const beat = (): void => {
    if (!state || !bus.isConnected()) return;
    const body: Heartbeat = { pid, sentAt: momentOf(Date.now()), loopAgeMs: 0, ...state };
    bus.emit(`${Heartbeat.subject}.${state.runId}`, body);
  };
  setInterval(beat, BEAT_MS);
  const activity = (kind: Activity['kind'], detail: string, limitMs?: number): Activity => {
    const since = momentOf(Date.now());
    const doing = { kind, detail: detail.slice(0, 500), since };
    return limitMs ? { limitMs, ...doing } : doing;
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
      if (state) state = { ...state, activity: activity(kind, detail, limitMs) };
    },
    recorded: (revision) => {
      if (state) state = { ...state, revision };
    },
    end: () => {
      state = undefined;
      void answering?.stop();
      answering = undefined;
    },
  };
}
