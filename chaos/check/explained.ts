import type { Absence, Injection } from './facts.js';
import { isOfProcess } from './shifts.js';
import type { Trouble } from './troubles.js';

/** A fault's aftermath may last for so long (ms): what it has struck boots, is asked, is given up. */
const AFTERMATH_MS = 30_000;
/** What struck and what the log took do not come in one moment, milliseconds. */
const AT_ONCE_MS = 500;

/** Which faults bring about which trouble, besides the death of the segment's own process. */
const CAUSES: Readonly<Record<Trouble['kind'], readonly string[]>> = {
  death: [],
  orphan: ['supervisor', 'allOff'],
  drain: [],
  model: ['model', 'allOff'],
  doubt: ['allOff', 'workspaceManager', 'diskFull'],
  timeout: [],
  // Its own length is the evidence for these.
  backlog: [],
  standstill: [],
  halt: [],
  failure: [],
};
const BY_THEMSELVES: readonly Trouble['kind'][] = ['backlog', 'standstill', 'halt', 'failure'];

/** Whether something that was done by chaos explains it. */
export function isExplained(
  { kind, at, since, pid, begunAt }: Trouble,
  absences: readonly Absence[],
  injections: readonly Injection[],
): boolean {
  if (BY_THEMSELVES.includes(kind)) return true;
  if (
    kind === 'death' &&
    absences.some((one) => isOfProcess(one, pid, begunAt) && isNear(at, one.from, one.until ?? one.from))
  ) {
    return true;
  }
  // However long it takes until somebody asks for the call again: it was struck after it was started.
  const over = (one: Injection): number => (kind === 'doubt' && one.over >= since ? Math.max(one.over, at) : one.over);
  return injections.some((one) => CAUSES[kind].includes(one.kind) && isNear(at, one.at, over(one)));
}

const isNear = (at: number, from: number, over: number): boolean =>
  at >= from - AT_ONCE_MS && at <= over + AFTERMATH_MS;
