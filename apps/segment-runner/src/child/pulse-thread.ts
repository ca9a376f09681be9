import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { Bus } from '#bus';
import { Heartbeat, momentOf } from '#contracts';
import { createLogger } from '#platform';
import type { PulseStart, PulseState } from './pulse-state.js';

const BEAT_MS = 1_000;

const { busUrl, pid, loopTurn }: PulseStart = workerData;
const bus = await Bus.connect({ url: busUrl, name: `pulse-${pid}`, logger: createLogger('pulse', 'warn') });
let state: PulseState | null = null;
let answering: ReturnType<Bus['answer']> | undefined;

function beat(): void {
  if (!state) return;
  const loopAgeMs = Number(process.hrtime.bigint() - Atomics.load(loopTurn, 0)) / 1e6;
  const body: Heartbeat = { ...state, pid, sentAt: momentOf(Date.now()), loopAgeMs: Math.max(0, loopAgeMs) };
  if (bus.isConnected()) bus.emit(`${Heartbeat.subject}.${state.runId}`, body);
}

/** Whoever misses a beat may ask directly; when this process is gone, the bus says so at once. */
function answerFor(next: PulseState | null): void {
  if (next?.runId === state?.runId && next?.segment === state?.segment) return;
  void answering?.stop();
  answering = next
    ? bus.answer(`baton.ask.segment.${next.runId}.${next.segment}`, z.object({}), () =>
        Promise.resolve({ alive: true }),
      )
    : undefined;
}

parentPort?.on('message', (next: PulseState | null) => {
  const began = next?.activity.kind !== state?.activity.kind || next?.segment !== state?.segment;
  answerFor(next);
  state = next;
  if (began && next?.activity.kind === 'starting') beat();
});
setInterval(beat, BEAT_MS);
