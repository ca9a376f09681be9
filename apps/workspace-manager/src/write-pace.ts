import { readFileSync } from 'node:fs';
import type { Clock, Logger } from '#platform';
import type { ControlGroups } from './control-groups.js';

/** How often the groups of calls are looked at, in milliseconds: one that writes fast, and one that does not. */
const LOOK_MS = { fast: 100, calm: 500 } as const;
/** What a group may write at once, in seconds of its pace. */
const BURST_SECONDS = 2.5;

/** What is known of one group's writing. */
export interface Pace {
  /** When it was looked at, in milliseconds by the monotonic clock. */
  readonly at: number;
  /** What its processes had written until then, in bytes. */
  readonly written: number;
  /** What it may still write at once, in bytes; below 0 it has to wait. */
  readonly budget: number;
  readonly frozen: boolean;
}

/** A group that is seen for the first time. @param bytesPerSecond the pace */
export const firstPace = (at: number, written: number, bytesPerSecond: number): Pace =>
  nextPace({ at, written: 0, budget: BURST_SECONDS * bytesPerSecond, frozen: false }, at, written, bytesPerSecond);

/** A token bucket: who has written more than it holds waits until it holds something again. */
export function nextPace(before: Pace, at: number, written: number, bytesPerSecond: number): Pace {
  const earned = ((at - before.at) / 1_000) * bytesPerSecond;
  // What a process has written is forgotten when it ends and nobody waits for it.
  const spent = Math.max(0, written - before.written);
  const budget = Math.min(before.budget + earned, BURST_SECONDS * bytesPerSecond) - spent;
  return { at, written, budget, frozen: budget < 0 };
}

export interface WritePaceParts {
  readonly groups: Pick<ControlGroups, 'names' | 'of' | 'members' | 'freeze'>;
  readonly bytesPerSecond: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Holds back commands that write faster than the disk can take beside Baton's own work: the log waits for the disk with
 * every step, and one command that rewrites a file at full speed makes all of them wait. The kernel's limits on writing do
 * not reach what goes through its cache (version 1), or need a device's name (version 2, `io.max`), so the processes of
 * a group are frozen until their average is down again.
 */
export class WritePace {
  private readonly paces = new Map<string, Pace>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: WritePaceParts) {}

  start(): void {
    this.timer ??= setInterval(() => this.look(), LOOK_MS.fast).unref();
  }

  /** Nobody is left frozen. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    for (const [name, { frozen }] of this.paces) if (frozen) this.freeze(name, false);
    this.paces.clear();
  }

  private look(): void {
    const names = new Set(this.parts.groups.names());
    for (const name of names) this.lookAt(name);
    for (const name of this.paces.keys()) if (!names.has(name)) this.paces.delete(name);
  }

  private lookAt(name: string): void {
    const { groups, bytesPerSecond, clock, logger } = this.parts;
    const at = clock.monotonic();
    const before = this.paces.get(name);
    if (before && at - before.at < (isCalm(before, bytesPerSecond) ? LOOK_MS.calm : LOOK_MS.fast)) return;
    const written = bytesWritten(groups.members(groups.of(name)));
    const pace = before ? nextPace(before, at, written, bytesPerSecond) : firstPace(at, written, bytesPerSecond);
    this.paces.set(name, pace);
    // A manager that died may have left a group frozen.
    if (pace.frozen === before?.frozen) return;
    this.freeze(name, pace.frozen);
    if (pace.frozen) logger.debug({ call: name, budget: pace.budget }, 'a command writes too fast and has to wait');
  }

  private freeze(name: string, frozen: boolean): void {
    const { groups } = this.parts;
    groups.freeze(groups.of(name), frozen);
  }
}

/** Its bucket is full, or nearly: in half a second it cannot have done harm. */
const isCalm = ({ budget }: Pace, bytesPerSecond: number): boolean => budget >= (BURST_SECONDS - 0.5) * bytesPerSecond;

/** What processes, and those that they have waited for, have written to disks; 0 for those that are gone. */
const bytesWritten = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + writtenBy(pid), 0);

function writtenBy(pid: number): number {
  try {
    const [, bytes = '0'] = /^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8')) ?? [];
    return Number(bytes);
  } catch {
    return 0;
  }
}
