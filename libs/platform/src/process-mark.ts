import { readFileSync, readlinkSync } from 'node:fs';
import type { ProcessMark } from '#contracts';

/**
 * When the process with this number began, and in which life of the machine; undefined when there is none, or only what
 * its parent has not collected yet. Linux.
 * @throws the system's error when it does not tell
 */
export function bornByProc(pid: number): string | undefined {
  const stat = statOf(pid);
  // The second field is the program's name in parentheses and may hold spaces; state and start time follow it.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${bootId()}:${fields[19]}`;
}

/** The mark of a process that lives in this namespace; undefined where the system does not tell, or there is none. */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    const born = bornByProc(pid);
    return born === undefined ? undefined : { home: home(), born };
  } catch {
    return undefined;
  }
}

/**
 * Whether a process is certainly gone. False also where this process could not see it: on another machine, in another
 * namespace, before the machine was started again, or with a /proc that hides what others run.
 */
export function isGone(pid: number, mark: ProcessMark): boolean {
  try {
    return home() === mark.home && statOf(1) !== undefined && bornByProc(pid) !== mark.born;
  } catch {
    return false;
  }
}

function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
const home = (): string => `${bootId()}/${readlinkSync('/proc/self/ns/pid')}`;
