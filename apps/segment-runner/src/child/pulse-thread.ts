import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { Bus } from '#bus';
import { Heartbeat, momentOf } from '#contracts';
import { createLogger, Stillness } from '#platform';
import { HeldUp } from './held-up.js';
import type { PulseStart, PulseState } from './pulse-state.js';

const BEAT_MS = 1_000;
const TICK_MS = 250;

const { busUrl, pid, loopTurn, hungMs }: PulseStart = workerData;
const bus = await Bus.connect({ url: busUrl, name: `pulse-${pid}`, logger: createLogger('pulse', 'warn') });
let state: PulseState | null = null;
let answering: ReturnType<Bus['answer']> | undefined;

/**
 * A loop that has stopped cannot hear that its supervisor is gone, and would beat for ever. Where nobody has killed its
 * process after twice the time, this thread does.
 */
const stillness = new Stillness(2 * hungMs, BEAT_MS);
const heldUp = new HeldUp(TICK_MS);

const ageOf = (nanoseconds: bigint): number => Math.max(0, Number(process.hrtime.bigint() - nanoseconds) / 1e6);

function beat(heldUpMs: number): void {
  if (!state) return;
  const { activityBegan, ...told } = state;
  const sentAt = momentOf(Date.now());
  const ages = { activityAgeMs: ageOf(activityBegan), loopAgeMs: ageOf(Atomics.load(loopTurn, 0)) };
  const body: Heartbeat = { ...told, ...ages, pid, sentAt, ...(heldUpMs > 0 ? { heldUpMs } : {}) };
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
  if (began && next?.activity.kind === 'starting') beat(0);
});

/** Where others keep the processor for seconds, it beats at every tick in between: its silence is hardly longer than they do. */
let ticks = 0;
parentPort?.postMessage('ready');
setInterval(() => {
  const now = performance.now();
  const heldUpMs = heldUp.tick(now);
  ticks += 1;
  const isBeat = ticks % (BEAT_MS / TICK_MS) === 0;
  if (isBeat && stillness.tick(Atomics.load(loopTurn, 0), now)) process.kill(pid, 'SIGKILL');
  if (isBeat || heldUpMs > 0) beat(heldUpMs);
}, TICK_MS);
