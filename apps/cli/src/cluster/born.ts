import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** A process beyond doubt: numbers are given out again, a number together with its time of birth is not. */
export interface Identity {
  readonly pid: number;
  /** As the system tells it; compared, never read. */
  readonly born: string;
}

/** Who has this number now; undefined when nobody has. */
export function identify(pid: number): Identity | undefined {
  const born = process.platform === 'linux' ? bornByProc(pid) : bornByPs(pid);
  return born === undefined ? undefined : { pid, born };
}

export const lives = ({ pid, born }: Identity): boolean => identify(pid)?.born === born;

function bornByProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces; state and start time follow it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

function bornByPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
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
