import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { WorkspaceSpec } from '#contracts';

/** The processes that belong to every sandbox itself: timeout, bubblewrap's two, and the shell that starts them. */
const OWN_PROCESSES = 4;

/**
 * What all commands together get of a processor that Baton itself wants too: half of what one of its services gets,
 * however many processes they have. Among themselves the calls have equal parts. Niceness says nothing of that: a kernel
 * that groups processes by session (sched(7), autogroups) does not compare that of two sessions, and a call is one.
 */
const PROCESSOR_WEIGHT = { 'cpu.shares': '512', 'cpu.weight': '50' } as const;

/** The files that freeze a group, with what they take for thawed and frozen. */
const FREEZERS: readonly (readonly [file: string, thawed: string, frozen: string])[] = [
  ['freezer.state', 'THAWED', 'FROZEN'],
  ['cgroup.freeze', '0', '1'],
];

/** The control groups of one call; a process joins by writing 0 to `cgroup.procs` in each folder. */
export interface CallGroup {
  readonly folders: readonly string[];
}

/**
 * Limits on memory and the number of processes, and where the controller is to be had the weight on the processor, by
 * control groups (version 2, or the controllers of version 1): one group a call, below the group of the manager.
 */
export class ControlGroups {
  /** The first folders of groups that are being ended: a frozen process hears no signal. */
  private readonly ending = new Set<string>();
  private canFreeze = false;

  private constructor(
    private readonly version: 1 | 2,
    private readonly bases: readonly string[],
  ) {}

  /** Finds where groups can be made; undefined where none can. `name` is this manager's own. */
  static find(name: string): ControlGroups | undefined {
    const own = ownGroups();
    for (const candidate of candidates(own, name)) {
      const groups = new ControlGroups(candidate.version, candidate.bases);
      if (groups.works(candidate.version)) return groups;
    }
    return undefined;
  }

  get description(): string {
    return `control groups, version ${this.version}${this.weighsProcessor() ? '' : ', without the processor'}${this.canFreeze ? '' : ', without a freezer'}`;
  }

  /** Whether commands, however many, get no more than their part of a processor that Baton wants too. */
  weighsProcessor(): boolean {
    return this.bases.some((base) => Object.keys(PROCESSOR_WEIGHT).some((file) => existsSync(join(base, file))));
  }

  /** Whether commands can be made to wait. */
  get freezes(): boolean {
    return this.canFreeze;
  }

  make(name: string, limits: Pick<WorkspaceSpec, 'memoryMb' | 'processes'>): CallGroup {
    const bytes = String(limits.memoryMb * 1024 * 1024);
    const processes = String(limits.processes + OWN_PROCESSES);
    const folders = this.bases.map((base) => join(base, name));
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      setLimits(folder, bytes, processes);
    }
    return { folders };
  }

  /** The groups of a call that may have been made by an earlier life of this manager. */
  of(name: string): CallGroup {
    return { folders: this.bases.map((base) => join(base, name)) };
  }

  members({ folders }: CallGroup): number[] {
    const pids = folders.flatMap((folder) => readLines(join(folder, 'cgroup.procs'))).map(Number);
    return [...new Set(pids)].filter((pid) => pid > 0);
  }

  /** The processes of a group that is to be ended: they run from now on, so that they hear of it. */
  toEnd(group: CallGroup): number[] {
    this.ending.add(group.folders[0] ?? '');
    this.freeze(group, false);
    return this.members(group);
  }

  /** Stops all processes of a group where they are, or lets them go on. Those of a group that is being ended go on. */
  freeze(group: CallGroup, frozen: boolean): void {
    if (frozen && this.ending.has(group.folders[0] ?? '')) return;
    for (const folder of group.folders) {
      for (const [file, thaw, freeze] of FREEZERS) {
        if (existsSync(join(folder, file))) writeIfThere(join(folder, file), frozen ? freeze : thaw);
      }
    }
  }

  /** Whether the kernel ended a process of the group for want of memory. */
  ranOutOfMemory({ folders }: CallGroup): boolean {
    const counts = folders.flatMap((folder) => [
      ...readLines(join(folder, 'memory.oom_control')),
      ...readLines(join(folder, 'memory.events')),
    ]);
    return counts.some((line) => /^oom_kill [1-9]/.test(line));
  }

  /** Removes the groups of a call that has ended; what is still busy is left for the next tidy-up. */
  remove({ folders }: CallGroup): boolean {
    const removed = folders.map(removeFolder).every(Boolean);
    if (removed) this.ending.delete(folders[0] ?? '');
    return removed;
  }

  /** The names of all groups that there are. */
  names(): string[] {
    return [...new Set(this.bases.flatMap(foldersIn))];
  }

  /** The groups of calls below other managers of this machine, whether or not these are there. */
  others(): CallGroup[] {
    const [first = ''] = this.bases;
    const managers = foldersIn(dirname(first)).filter((name) => name.startsWith('baton-') && name !== basename(first));
    return managers.flatMap((name) =>
      foldersIn(join(dirname(first), name)).map((call) => {
        return { folders: this.bases.map((base) => join(dirname(base), name, call)) };
      }),
    );
  }

  /** Removes this manager's own group, unless commands still run in it. */
  leave(): void {
    for (const base of this.bases) removeFolder(base);
  }

  private works(version: 1 | 2): boolean {
    try {
      for (const base of this.bases) mkdirSync(base, { recursive: true });
      if (version === 2) handOn(join(this.bases[0] ?? '', 'cgroup.subtree_control'));
      for (const base of this.bases) setThere(base, Object.entries(PROCESSOR_WEIGHT));
      const group = this.make('probe', { memoryMb: 16, processes: 4 });
      this.canFreeze = group.folders.some((folder) => FREEZERS.some(([file]) => existsSync(join(folder, file))));
      return this.remove(group);
    } catch {
      for (const base of this.bases) removeFolder(base);
      return false;
    }
  }
}

interface Candidate {
  readonly version: 1 | 2;
  readonly bases: readonly string[];
}

function candidates(own: ReadonlyMap<string, string>, name: string): Candidate[] {
  const found: Candidate[] = [];
  const unified = own.get('');
  if (unified !== undefined && existsSync('/sys/fs/cgroup/cgroup.controllers')) {
    // A group with processes of its own may not hand controllers on, so its parent is tried too.
    const places = [unified, join(unified, '..')];
    found.push(...places.map((place): Candidate => ({ version: 2, bases: [join('/sys/fs/cgroup', place, name)] })));
  }
  const bases = (controllers: readonly string[]): string[] =>
    controllers.flatMap((one) => (own.has(one) ? join('/sys/fs/cgroup', one, own.get(one) ?? '', name) : []));
  const limits = bases(['memory', 'pids']);
  if (limits.length < 2) return found;
  const more = [bases(['cpu', 'freezer']), bases(['cpu']), []];
  return [...found, ...more.map((others): Candidate => ({ version: 1, bases: [...limits, ...others] }))];
}

/** Below here the limits apply, and where that may be the weight too. */
function handOn(subtreeControl: string): void {
  writeFileSync(subtreeControl, '+memory +pids');
  try {
    writeFileSync(subtreeControl, '+cpu');
  } catch {
    // The controller is not handed on to us: equal parts among the calls are not to be had.
  }
}

/** This process's groups by controller; version 2 under the empty name. */
function ownGroups(): ReadonlyMap<string, string> {
  const lines = readLines('/proc/self/cgroup').map((line) => line.split(':'));
  return new Map(lines.flatMap(([, names = '', path = '']) => names.split(',').map((name) => [name, path] as const)));
}

function setLimits(folder: string, bytes: string, processes: string): void {
  const there = setThere(folder, [
    ['memory.limit_in_bytes', bytes],
    ['memory.memsw.limit_in_bytes', bytes],
    ['memory.max', bytes],
    ['memory.swap.max', '0'],
    ['pids.max', processes],
  ]);
  const others = [...Object.keys(PROCESSOR_WEIGHT), ...FREEZERS.map(([file]) => file)];
  if (there === 0 && !others.some((file) => existsSync(join(folder, file)))) {
    throw new Error(`${folder} has no controller that limits anything`);
  }
}

/** Writes those of the files that there are. @returns how many */
function setThere(folder: string, files: readonly (readonly [string, string])[]): number {
  const there = files.filter(([file]) => existsSync(join(folder, file)));
  for (const [file, value] of there) {
    try {
      writeFileSync(join(folder, file), value);
    } catch (error) {
      // Without swap accounting these two cannot be set; the limit on memory itself holds.
      if (!/swap|memsw/.test(file)) throw error;
    }
  }
  return there.length;
}

/** A group that has just gone needs nothing more. */
function writeIfThere(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    if (existsSync(file)) throw error;
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

function foldersIn(folder: string): string[] {
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  return entries.flatMap((entry) => (entry.isDirectory() ? entry.name : []));
}

function removeFolder(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}
