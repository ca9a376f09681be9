import { Worker } from 'node:worker_threads';
import { type Activity, momentOf } from '#contracts';
import type { PulseStart, PulseState } from './pulse-state.js';

const TURN_MS = 250;

/**
 * The segment's heartbeat. A thread of its own sends it, so that a busy loop is not taken for a dead one; the loop's own
 * progress travels with it, so that a loop that has stopped turning is not taken for a healthy one.
 */
export class Pulse {
  /** Resolves when it can be heard. Where others keep the processor the thread needs longer to start than silence may last. */
  readonly ready: Promise<void>;
  private readonly worker: Worker;
  private readonly loopTurn = new BigInt64Array(new SharedArrayBuffer(8));
  private readonly timer: NodeJS.Timeout;
  private state: PulseState | undefined;
  /** Whether the thread knows the state, and when it was told last in milliseconds of the monotonic clock. */
  private told = true;
  private toldAt = 0;

  /** @param hungMs after how long without a turn of the loop the supervisor kills this process */
  constructor(busUrl: string, hungMs: number) {
    const start: PulseStart = { busUrl, pid: process.pid, loopTurn: this.loopTurn, hungMs };
    this.worker = new Worker(new URL('./pulse-thread.js', import.meta.url), { workerData: start });
    this.ready = new Promise((resolve) => this.worker.once('message', resolve));
    this.worker.unref();
    this.timer = setInterval(() => this.turn(), TURN_MS).unref();
    this.turn();
  }

  /** The segment of this run begins to beat. */
  begin(order: Pick<PulseState, 'runId' | 'segment' | 'runnerId'>, revision: number): void {
    this.send({ ...order, revision, ...beginning('starting', '') });
  }

  /** What the segment does from now on. `limitMs`: the activity's own limit. */
  doing(kind: Activity['kind'], detail: string, limitMs?: number): void {
    if (this.state) this.send({ ...this.state, ...beginning(kind, detail, limitMs) });
  }

  recorded(revision: number): void {
    if (this.state) this.send({ ...this.state, revision });
  }

  end(): void {
    this.send(undefined);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.worker.terminate();
  }

  /** The beginning and the end are told at once; what happens in between at the next turn, if not before. */
  private send(state: PulseState | undefined): void {
    const at = performance.now();
    const sameSegment = state !== undefined && state.segment === this.state?.segment;
    this.state = state;
    this.told = false;
    if (!sameSegment || at - this.toldAt >= TURN_MS) this.tell(at);
  }

  private tell(at: number): void {
    this.told = true;
    this.toldAt = at;
    this.worker.postMessage(this.state ?? null);
  }

  private turn(): void {
    if (!this.told) this.tell(performance.now());
    Atomics.store(this.loopTurn, 0, process.hrtime.bigint());
  }
}

function beginning(
  kind: Activity['kind'],
  detail: string,
  limitMs?: number,
): Pick<PulseState, 'activity' | 'activityBegan'> {
  const activity = { kind, detail: detail.slice(0, 500), since: momentOf(Date.now()), ...(limitMs ? { limitMs } : {}) };
  return { activity, activityBegan: process.hrtime.bigint() };
}
