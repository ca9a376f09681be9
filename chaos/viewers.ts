import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { EventView, LiveFrame } from '#contracts';
import { serverSent } from '../apps/cli/src/api/server-sent.js';
import { type Random, wholeBelow } from '../simulation/world/random.js';
import type { Viewing } from './check/facts.js';
import type { Gateway } from './gateway.js';
import type { Load, StartedRun } from './load.js';

const COME_BACK_MS = 100;
/** A viewer leaves after so many events, or one more, or … */
const MOST_AT_ONCE = 12;
/** So long without a word (ms) is a line that is dead: keep-alives come more often. */
const QUIET_MS = 30_000;
const ENDS: readonly string[] = ['RunCompleted', 'RunFailed', 'RunCancelled', 'RunHalted'];

type Way = Viewing['way'];

interface Kept extends Viewing {
  drops: number;
  readonly events: Viewing['events'][number][];
}

const hasSeenTheEnd = ({ events }: Viewing): boolean => ENDS.includes(events.at(-1)?.type ?? '');

/** Two viewers, one for each way, who leave after a few events and come back, and follow one run after the other to its end. */
export class Viewers {
  private readonly viewings: Kept[] = [];

  constructor(
    private readonly gateway: Gateway,
    private readonly load: Load,
    private readonly random: Random,
  ) {}

  collected(): readonly Viewing[] {
    return this.viewings;
  }

  /** Resolves when no new run is wanted and each of the two has seen the end of its last one. */
  async view(noNewRuns: AbortSignal, giveUp: AbortSignal): Promise<void> {
    await Promise.all((['sse', 'websocket'] as const).map((way) => this.viewOneByOne(way, noNewRuns, giveUp)));
  }

  private async viewOneByOne(way: Way, noNewRuns: AbortSignal, giveUp: AbortSignal): Promise<void> {
    while (!noNewRuns.aborted && !giveUp.aborted) {
      const newest = this.load.started.findLast(({ id }) => !this.viewings.some(({ run }) => run === id));
      if (newest) await this.follow(newest, way, giveUp);
      else await pause(COME_BACK_MS);
    }
  }

  private async follow({ id }: StartedRun, way: Way, giveUp: AbortSignal): Promise<void> {
    const viewing: Kept = { run: id, way, drops: 0, events: [] };
    this.viewings.push(viewing);
    while (!hasSeenTheEnd(viewing) && !giveUp.aborted) {
      const most = 1 + wholeBelow(this.random, MOST_AT_ONCE);
      await this.look(viewing, most, AbortSignal.any([giveUp, AbortSignal.timeout(QUIET_MS)])).catch(() =>
        pause(COME_BACK_MS),
      );
      viewing.drops += 1;
    }
  }

  /** Follows where it stopped the last time, for so many events at most. @throws when the gateway is away */
  private async look(viewing: Kept, most: number, dropped: AbortSignal): Promise<void> {
    const events = viewing.way === 'sse' ? this.bySse(viewing, dropped) : this.byWebSocket(viewing, dropped);
    const enough = viewing.events.length + most;
    for await (const { revision, type, data } of events) {
      viewing.events.push({ revision, type, data });
      if (viewing.events.length >= enough || hasSeenTheEnd(viewing)) return;
    }
  }

  private async *bySse({ run, events }: Viewing, dropped: AbortSignal): AsyncGenerator<EventView> {
    const leaving = new AbortController();
    const last = events.at(-1);
    const headers = { accept: 'text/event-stream', ...(last ? { 'last-event-id': String(last.revision) } : {}) };
    const signal = AbortSignal.any([leaving.signal, dropped]);
    try {
      const { body, ok } = await this.gateway.fetch(`/v1/runs/${run}/events`, { headers, signal });
      if (!ok || !body) throw new Error('The gateway does not show the run now.');
      for await (const { event, data } of serverSent(body)) {
        if (event === 'end' || event === 'goodbye') return;
        yield EventView.parse(JSON.parse(data));
      }
    } finally {
      leaving.abort();
    }
  }

  private async *byWebSocket({ run, events }: Viewing, dropped: AbortSignal): AsyncGenerator<EventView> {
    const socket = new WebSocket(this.gateway.live);
    const frames: LiveFrame[] = [];
    const heard = { wake: (): void => undefined, closed: false };
    const close = (): void => {
      heard.closed = true;
      heard.wake();
    };
    socket.on('open', () => socket.send(JSON.stringify({ type: 'follow', run, from: events.length })));
    socket.on('message', (text: Buffer) => {
      frames.push(LiveFrame.parse(JSON.parse(text.toString())));
      heard.wake();
    });
    socket.on('error', close).on('close', close);
    dropped.addEventListener('abort', close, { once: true });
    try {
      while (frames.length > 0 || !heard.closed) {
        const frame = frames.shift();
        if (frame?.type === 'event') yield frame.event;
        if (frame) continue;
        await new Promise<void>((resolve) => {
          heard.wake = resolve;
        });
      }
      throw new Error('The gateway has hung up.');
    } finally {
      dropped.removeEventListener('abort', close);
      socket.terminate();
    }
  }
}
