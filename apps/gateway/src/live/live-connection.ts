import type { WebSocket } from 'ws';
import { type LiveFrame, LiveRequest, type RunId } from '#contracts';
import type { Clock, Logger } from '#platform';
import { answerTo } from '../http/problem.filter.js';
import { validated } from '../http/problems.js';
import type { Timing } from '../surroundings.js';
import type { Deltas } from './deltas.js';
import type { Viewings } from './viewings.js';

/** How much may wait in a viewer's socket before the next frame waits for it, in bytes. */
const MOST_WAITING_BYTES = 256_000;
const MOST_RUNS = 500;
const GOING_AWAY = 1_001;

export interface LiveParts {
  readonly viewings: Viewings;
  readonly deltas: Deltas;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing: Timing;
}

/** One viewer with one WebSocket, following several runs, each from its own revision. */
export class LiveConnection {
  private readonly follows = new Map<RunId, AbortController>();
  private readonly timer: NodeJS.Timeout;
  private takenAt: number;

  constructor(
    private readonly socket: WebSocket,
    private readonly parts: LiveParts,
  ) {
    this.takenAt = parts.clock.monotonic();
    socket.on('message', (text: Buffer) => this.hear(text.toString()));
    socket.on('pong', () => this.alive());
    socket.on('error', () => socket.terminate());
    socket.once('close', () => this.leave());
    this.timer = setInterval(() => this.lookAfter(), parts.timing.keepAliveMs).unref();
  }

  goodbye(): void {
    this.leave();
    this.socket.close(GOING_AWAY, 'The gateway stops; come back with your last revision + 1.');
  }

  private hear(text: string): void {
    this.alive();
    try {
      const request = validated(LiveRequest, parsed(text), 'frame');
      this.follows.get(request.run)?.abort();
      this.follows.delete(request.run);
      if (request.type === 'follow') void this.follow(request);
    } catch (error) {
      this.complain(error);
    }
  }

  private async follow({ run, from, deltas }: Extract<LiveRequest, { type: 'follow' }>): Promise<void> {
    if (this.follows.size >= MOST_RUNS) {
      const detail = `One connection follows at most ${MOST_RUNS} runs; open another one.`;
      return void this.send({ type: 'problem', run, code: 'too-many-runs', detail });
    }
    const leaving = new AbortController();
    this.follows.set(run, leaving);
    const stopHearing = deltas ? this.passDeltas(run) : undefined;
    try {
      await this.show(run, from, leaving.signal);
    } catch (error) {
      if (!leaving.signal.aborted) this.complain(error, run);
    } finally {
      stopHearing?.();
      if (this.follows.get(run) === leaving) this.follows.delete(run);
    }
  }

  private async show(run: RunId, from: number, signal: AbortSignal): Promise<void> {
    let live = false;
    for await (const showing of this.parts.viewings.show(run, from, signal)) {
      if (signal.aborted) return;
      if (showing.kind === 'event') {
        await this.send({ type: 'event', event: showing.event });
      } else if (!live) {
        live = true;
        await this.send({ type: 'caught-up', run, revision: showing.revision });
      }
    }
  }

  /** What is being written is only worth seeing now: a viewer who cannot take it misses it. */
  private passDeltas(run: RunId): () => void {
    return this.parts.deltas.hear(run, ({ turn, text }) => {
      if (!this.isFull) void this.send({ type: 'delta', run, turn, text });
    });
  }

  /** Resolves when the viewer can take more. One who asks and does not read is not heard meanwhile. */
  private async send(frame: LiveFrame): Promise<void> {
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return;
    const sent = new Promise<void>((resolve) => {
      socket.send(JSON.stringify(frame), () => {
        this.alive();
        if (socket.isPaused && !this.isFull) socket.resume();
        resolve();
      });
    });
    if (!this.isFull) return;
    socket.pause();
    await sent;
  }

  private get isFull(): boolean {
    return this.socket.bufferedAmount > MOST_WAITING_BYTES;
  }

  private complain(error: unknown, run?: RunId): void {
    const { status, code, detail } = answerTo(error);
    if (status === 500) this.parts.logger.error({ run, code, detail: String(error) }, 'a viewer cannot be shown a run');
    void this.send({ type: 'problem', ...(run === undefined ? {} : { run }), code, detail });
  }

  private alive(): void {
    this.takenAt = this.parts.clock.monotonic();
  }

  private lookAfter(): void {
    const idleMs = this.parts.clock.monotonic() - this.takenAt;
    if (idleMs > this.parts.timing.deadViewerMs) this.socket.terminate();
    else this.socket.ping();
  }

  private leave(): void {
    clearInterval(this.timer);
    for (const leaving of this.follows.values()) leaving.abort();
    this.follows.clear();
  }
}

/** What is no JSON is answered as a frame that breaks the contract. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
