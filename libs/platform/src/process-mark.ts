import { readFileSync, readlinkSync } from 'node:fs';
import type { ProcessMark } from '#contracts';
import { isRunning, processStat } from './process-stat.js';

/** This life of the machine, until it is started again. Linux. @throws the system's error when it does not tell */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();

/** When the process began; undefined when none of this number runs. Linux. @throws the system's error when it does not tell */
export function startTimeOf(pid: number): string | undefined {
  const stat = processStat(pid);
  return stat && isRunning(stat) ? stat.startTime : undefined;
}

/** The mark of a process that lives in this namespace; undefined where the system does not tell, or there is none. */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    const born = startTimeOf(pid);
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
    return home() === mark.home && processStat(1) !== undefined && startTimeOf(pid) !== mark.born;
  } catch {
    return false;
  }
}

const home = (): string => `${bootId()}/${readlinkSync('/proc/self/ns/pid')}`;
