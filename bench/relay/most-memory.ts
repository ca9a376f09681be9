import { readFileSync } from 'node:fs';

/** The most memory that a process has had so far, in MiB; NaN where there is no /proc, or no such process any more. */
export function mostMemoryOf(pid: number): number {
  try {
    const most = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(most) / 1_024;
  } catch {
    return Number.NaN;
  }
}
