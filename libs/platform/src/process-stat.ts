import { readFileSync } from 'node:fs';

/** A process as the table of the system shows it. Linux. */
export interface ProcessStat {
  readonly pid: number;
  readonly command: string;
  readonly state: string;
  readonly parent: number;
  /** The number of the process that has opened its session. */
  readonly session: number;
  /** Clock ticks since boot, as /proc tells it. */
  readonly startTime: string;
}

/** Reads a line of /proc/PID/stat; the command's name in it may hold blanks and brackets. */
export function parseStat(line: string): ProcessStat | undefined {
  const match = /^(\d+) \((.*)\) (.*)$/s.exec(line.trim());
  const fields = match?.[3]?.split(' ');
  const startTime = fields?.[19];
  if (!match || !fields || startTime === undefined) return undefined;
  return {
    pid: Number(match[1]),
    command: match[2] ?? '',
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    session: Number(fields[3]),
    startTime,
  };
}

/** Undefined when there is no such process. @throws the system's error, or one of ours, when it does not tell */
export function processStat(pid: number | string): ProcessStat | undefined {
  const file = `/proc/${pid}/stat`;
  try {
    const stat = parseStat(readFileSync(file, 'latin1'));
    if (stat) return stat;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  throw new Error(`${file} is not what a system tells of a process.`);
}

/** False of what has ended and is only still in the table, since its parent has not heard of it. */
export const isRunning = ({ state }: ProcessStat): boolean => state !== 'Z' && state !== 'X';
