import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { RunId } from '#contracts';
import type { Gateway } from './gateway.js';

const Started = z.object({ id: RunId });
const LOOK_AGAIN_MS = 100;

export interface StartedRun {
  readonly id: RunId;
  readonly items: readonly string[];
}

/**
 * Notes its beginning and its end, and fails when it cannot: what the ledger lacks is not done. `{input}` is how long it
 * takes, in seconds.
 */
const COMMAND = [
  'echo "begin {id} {call}" >> ledger',
  'sleep {input}',
  'echo "end {id} {call}" >> ledger',
  'echo "{id}"',
].join(' && ');

/** Of two commands an item, side by side, in the second agent. */
const AGENTS = [
  { name: 'one-by-one', simulate: {} },
  { name: 'side-by-side', simulate: { callsPerItem: 2, callsPerTurn: 2 } },
] as const;
/** Short segments, so that there are handoffs all along. */
const CAPS = { segmentSeconds: 12, reserveSeconds: 1, segments: 1_000, restartsWithoutProgress: 5 };
/** How long commands take, in seconds. */
const SECONDS = ['0.05', '0.1', '0.2', '0.4', '0.1', '0.05', '0.8'];

export interface LoadWishes {
  /** How many runs are open all along. */
  readonly runs: number;
  readonly itemsEach: number;
  /** How long the model takes for a turn at least, in milliseconds. */
  readonly thinkMs: number;
}

/** Keeps so many runs open: whenever one ends, the next is started. */
export class Load {
  readonly started: StartedRun[] = [];
  private readonly open = new Map<RunId, StartedRun>();

  constructor(
    private readonly gateway: Gateway,
    private readonly wishes: LoadWishes,
  ) {}

  async prepare(): Promise<void> {
    for (const { name, simulate } of AGENTS) {
      const spec = {
        name,
        simulate: { policy: 'items', command: COMMAND, thinkMs: this.wishes.thinkMs, ...simulate },
        model: { name: 'simulator' },
        instructions: 'Work through the items.',
        tools: ['bash', 'complete_item', 'fail_item'],
        caps: CAPS,
      };
      await this.gateway.post('/v1/agents', { spec }, z.unknown());
    }
  }

  /** Resolves when no new runs are wanted; those that are open go on. */
  async keepOpen(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      while (this.open.size < this.wishes.runs && !until.aborted) await this.start();
      await pause(LOOK_AGAIN_MS, undefined, { signal: until }).catch(() => undefined);
    }
  }

  openRuns(): readonly StartedRun[] {
    return [...this.open.values()];
  }

  /** Somebody has seen it end. */
  ended(id: RunId): void {
    this.open.delete(id);
  }

  private async start(): Promise<void> {
    const number = this.started.length;
    const agent = AGENTS[number % AGENTS.length]?.name;
    const items = Array.from({ length: this.wishes.itemsEach }, (_, place) => ({
      id: `i${place + 1}`,
      input: SECONDS[(number + place) % SECONDS.length],
    }));
    const { id } = await this.gateway.post('/v1/runs', { agent, items }, Started);
    const run = { id, items: items.map((item) => item.id) };
    this.started.push(run);
    this.open.set(id, run);
  }
}
