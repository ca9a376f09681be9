import { inTime } from '#domain';
import type { LiveView } from '../runs/live-view.js';
import { idOf, POINT_KINDS, type Point } from './points.js';
import { type Case, PARALLEL } from './torture.js';

const CELLS = 24;
/** Where a line cannot be redrawn, one is written at each such part of the way. */
const PARTS = 10;

/** How far a torture is and how long it may still take, by what the points of each kind have taken so far. */
export class Progress {
  private readonly took = new Map<string, { readonly count: number; readonly ms: number }>();
  private done = 0;
  private toldParts = 0;

  constructor(private readonly view: LiveView) {}

  note(one: Case, left: readonly Point[]): void {
    this.done += 1;
    const { kind } = one.point;
    const { count, ms } = this.took.get(kind) ?? { count: 0, ms: 0 };
    this.took.set(kind, { count: count + 1, ms: ms + one.ms });
    for (const { kind: found, sentence } of one.findings) this.view.line(`${idOf(one.point)}: ${found}: ${sentence}`);
    for (const { tool } of one.unsafe) this.view.line(`${idOf(one.point)}: ${tool} is left in doubt`);
    const all = this.done + left.length;
    const full = Math.round((CELLS * this.done) / all);
    const bar = `[${'█'.repeat(full)}${'░'.repeat(CELLS - full)}] ${this.done}/${all} · about ${inTime(this.leftMs(left))} left`;
    this.view.show(bar);
    const parts = Math.floor((PARTS * this.done) / all);
    if (parts > this.toldParts && !this.view.redraws) this.view.line(bar);
    this.toldParts = parts;
  }

  private leftMs(left: readonly Point[]): number {
    const [count, sum] = [...this.took.values()].reduce(
      ([counts, sums], { count: more, ms }): [number, number] => [counts + more, sums + ms],
      [0, 0],
    );
    const mean = sum / Math.max(1, count);
    return left.reduce((total, { kind }) => {
      const took = this.took.get(kind);
      return total + (took ? took.ms / took.count : mean) / (POINT_KINDS[kind].alone ? 1 : PARALLEL);
    }, 0);
  }
}
