import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { bootId, startTimeOf } from '#platform';

/** A process beyond doubt: numbers are given out again, a number together with its time of birth is not. */
export interface Identity {
  readonly pid: number;
  /** As the system tells it; compared, never read. */
  readonly born: string;
}

/** Who has this number now; undefined when nobody has. */
export function identify(pid: number): Identity | undefined {
  const born = told(() => (process.platform === 'linux' ? bornByProc(pid) : bornByPs(pid)));
  return born === undefined ? undefined : { pid, born };
}

export const lives = ({ pid, born }: Identity): boolean => identify(pid)?.born === born;

function bornByProc(pid: number): string | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : `${bootId()}:${startTime}`;
}

const bornByPs = (pid: number): string | undefined =>
  execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;

function told(ask: () => string | undefined): string | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/** Sends a signal to a process; that it is gone already is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Kills what is left in the process group that a service led. */
export const killGroup = (leader: number): void => signal(-leader, 'SIGKILL');

/** Ends processes that are not our children: SIGTERM, a bounded wait, SIGKILL to them and their groups. */
export async function endAll(processes: readonly Identity[], graceMs: number): Promise<void> {
  const open = processes.filter(lives);
  for (const { pid } of open) signal(pid, 'SIGTERM');
  await gone(open, graceMs);
  for (const { pid } of open.filter(lives)) signal(pid, 'SIGKILL');
  for (const { pid } of open) killGroup(pid);
  await gone(open, 5_000);
}

/** Waits until none of them lives, at most so long; answers whether that is so. */
export async function gone(processes: readonly Identity[], timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (processes.some(lives)) {
    if (performance.now() > end) return false;
    await wait(20);
  }
  return true;
}
