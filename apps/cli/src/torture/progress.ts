import { inTime } from '#domain';
import type { LiveView } from '../runs/live-view.js';
import { idOf, POINT_KINDS, type Point } from './points.js';
import { type Case, PARALLEL, type Planned } from './torture.js';

const CELLS = 24;
/** Where a line cannot be redrawn, one is written at each such part of the way. */
const PARTS = 10;
/** What a disturbance costs on average, as long as none has been seen, in milliseconds. */
const USUAL_MS = 3_000;

/** How far a torture is and how long it may still take, by what the points of each kind have taken so far. */
export class Progress {
  private readonly took = new Map<string, { readonly count: number; readonly ms: number }>();
  private done = 0;
  private toldParts = 0;
  private usualMs = USUAL_MS;
  private began = 0;

  constructor(
    private readonly view: LiveView,
    /** Milliseconds that only grow. */
    private readonly now: () => number,
    /** How long points are begun, in milliseconds from the plan on; absent when each is played once. */
    private readonly forMs?: number,
  ) {}

  plan({ undisturbedMs, available, points }: Planned): void {
    this.began = this.now();
    this.usualMs += undisturbedMs;
    const length = `Undisturbed, the run takes ${(undisturbedMs / 1_000).toFixed(1)} s and has ${available} points`;
    const played = points.length === available ? 'all' : String(points.length);
    this.view.line(
      this.forMs === undefined
        ? `${length}; ${played} of them are played, in about ${roughly(this.leftMs(points))}.`
        : `${length}; ${played} of them are played for ${roughly(this.forMs)}, again with other seeds when they are through.`,
    );
  }

  note(one: Case, left: readonly Point[]): void {
    this.done += 1;
    const { kind } = one.point;
    const { count, ms } = this.took.get(kind) ?? { count: 0, ms: 0 };
    this.took.set(kind, { count: count + 1, ms: ms + one.ms });
    for (const { kind: found, sentence } of one.findings) this.view.line(`${idOf(one.point)}: ${found}: ${sentence}`);
    for (const { tool } of one.unsafe) this.view.line(`${idOf(one.point)}: ${tool} is left in doubt`);
    this.show(left);
  }

  private show(left: readonly Point[]): void {
    const { forMs, done } = this;
    const all = done + left.length;
    const passedMs = this.now() - this.began;
    const way = forMs === undefined ? done / all : passedMs / forMs;
    const leftMs = forMs === undefined ? this.leftMs(left) : forMs - passedMs;
    const counted = forMs === undefined ? `${done}/${all}` : `${done} points`;
    const full = Math.round(CELLS * Math.min(1, way));
    const bar = `[${'█'.repeat(full)}${'░'.repeat(CELLS - full)}] ${counted}${leftMs > 0 ? ` · about ${roughly(leftMs)} left` : ''}`;
    this.view.show(bar);
    const parts = Math.floor(PARTS * Math.min(1, way));
    if (parts > this.toldParts && !this.view.redraws) this.view.line(bar);
    this.toldParts = Math.max(parts, this.toldParts);
  }

  private leftMs(left: readonly Point[]): number {
    const [count, sum] = [...this.took.values()].reduce(
      ([counts, sums], { count: more, ms }): [number, number] => [counts + more, sums + ms],
      [0, 0],
    );
    const mean = count === 0 ? this.usualMs : sum / count;
    return left.reduce((total, { kind }) => {
      const took = this.took.get(kind);
      return total + (took ? took.ms / took.count : mean) / (POINT_KINDS[kind].alone ? 1 : PARALLEL);
    }, 0);
  }
}

/** Below a minute and a half in steps of five seconds: it is a guess. */
const roughly = (ms: number): string =>
  ms < 90_000 ? `${5 * Math.ceil(ms / 5_000)} s` : inTime(Math.max(120_000, ms));
