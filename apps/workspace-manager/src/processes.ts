import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning, type ProcessStat, processStat } from '#platform';

/** A process that is named for good: its number may be used again, but not with the same start time. */
export interface ProcessName {
  readonly pid: number;
  /** Clock ticks since boot, as /proc tells it. */
  readonly startTime: string;
}

/** How often a look at the process table is taken while processes are being ended, in milliseconds. */
const LOOK_MS = 20;

/** How long what was printed has to reach its file once the command is gone. */
const FLUSH_MS = 2_000;

/** How long KILL is repeated before a process that cannot be ended (it hangs in the kernel) is given up on. */
const INSIST_MS = 30_000;

function statOf(pid: number | string): ProcessStat | undefined {
  try {
    return processStat(pid);
  } catch {
    return undefined;
  }
}

/** Names a process for good; undefined when it is not there (any more). */
export function processName(pid: number): ProcessName | undefined {
  return statOf(pid);
}

export function isAlive({ pid, startTime }: ProcessName): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.startTime === startTime && isRunning(stat);
}

function allProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(name) ?? []);
}

/** All processes below `pid`, nearest first, without itself. */
function descendants(pid: number, all: readonly ProcessStat[]): ProcessStat[] {
  const found: ProcessStat[] = [];
  let parents = new Set([pid]);
  while (parents.size > 0) {
    const above = parents;
    const children = all.filter((stat) => above.has(stat.parent) && stat.state !== 'Z');
    found.push(...children);
    parents = new Set(children.map((stat) => stat.pid));
  }
  return found;
}

/** Whether a process was started for a call whose folder is there no more: with its workspace, its manager's data is gone. */
export function hasLostItsFolder(pid: number): boolean {
  try {
    return /\/workspaces\/[^/]+\/calls\/[^/]+ \(deleted\)$/.test(readlinkSync(`/proc/${pid}/cwd`));
  } catch {
    return false;
  }
}

/** Sends a signal to a process that may have ended already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has just ended by itself
  }
}

/** What is left of the session that a process had opened which is dead now. Nobody else gets its number while there is any. */
export function leftBehind({ pid, startTime }: ProcessName): number[] {
  const successor = statOf(pid);
  if (successor !== undefined && successor.startTime !== startTime) return [];
  return allProcesses()
    .filter(({ session, state, pid: other }) => session === pid && other !== pid && state !== 'Z' && state !== 'X')
    .map(({ pid: other }) => other);
}

/** What is left of a command below its shim: `guard` is the `timeout` that holds it, `command` what runs below that. */
interface Tree {
  readonly guard: ProcessStat | undefined;
  readonly command: readonly ProcessStat[];
  readonly all: readonly ProcessStat[];
}

function treeOf(shim: ProcessName): Tree {
  const processes = allProcesses();
  const all = isAlive(shim) ? descendants(shim.pid, processes) : [];
  const guard = all.find((stat) => stat.command === 'timeout');
  return { guard, command: guard ? descendants(guard.pid, processes) : [], all };
}

/**
 * Ends a command: asks with TERM, insists with KILL after `graceMs`, and resolves when the shim, which writes down how it
 * ended, is gone too. `others` names further processes of the command (those of its control group).
 */
export async function endTree(shim: ProcessName, graceMs: number, others: () => number[]): Promise<void> {
  const begun = performance.now();
  const elapsed = (): number => performance.now() - begun;
  const asked = new Set<number>();
  while (isAlive(shim) && elapsed() < graceMs) {
    // Bubblewrap's own processes would take the sandbox with them at once, without a word to the command.
    const unasked = treeOf(shim).command.filter((stat) => stat.command !== 'bwrap' && !asked.has(stat.pid));
    for (const { pid } of unasked) {
      asked.add(pid);
      signal(pid, 'SIGTERM');
    }
    await pause(LOOK_MS);
  }
  let gone: number | undefined;
  while ((isAlive(shim) || others().length > 0) && elapsed() < graceMs + INSIST_MS) {
    const { guard, command, all } = treeOf(shim);
    if (guard === undefined) gone ??= elapsed();
    const flushed = gone !== undefined && elapsed() - gone > FLUSH_MS;
    // Once the command is gone, what still holds the shim can only be a stray process that keeps its output open.
    const doomed = guard ? [...command, guard] : all.filter((stat) => flushed && stat.command !== 'sh');
    for (const pid of [...doomed.map((stat) => stat.pid), ...others()]) signal(pid, 'SIGKILL');
    await pause(LOOK_MS);
  }
}

/**
 * The first words of whatever agents run: it gets the processor when nothing of Baton itself needs it, so that what floods
 * or burns slows nobody else's steps. Said before it begins, since what it has started by then would stay as it was.
 */
export const YIELDING = { program: 'nice', words: ['-n', '10'] } as const;
