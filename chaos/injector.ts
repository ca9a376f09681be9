import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ListedProcess } from '../apps/cli/src/cluster/listed-process.js';
import type { BenchCluster } from '../bench/relay/local-cluster.js';
import { type Random, wholeBelow } from '../simulation/world/random.js';
import type { Absence, Injection } from './check/facts.js';
import type { Disk } from './disk.js';
import { type Machine, send, unheardFrom, type Worker } from './machine.js';
import { holdsOpen } from './open-files.js';
import type { Kind } from './plan.js';

/** Longer than the silence that is taken for death (5 s), in milliseconds. */
const FROZEN_MS = 8_000;
const CUT_OFF_MS = 12_000;
const DISK_FULL_MS = 6_000;
const FILL_AGAIN_MS = 500;
const LOOK_MS = 50;
/** How often a server is robbed anew that has kept a file. */
const ROBBED_TIMES = 6;
/** A service that is not back after this long (ms) is lost; the longest back-off of the cluster is 10 s. */
const BACK_WITHIN_MS = 90_000;
const WORK_WITHIN_MS = 15_000;
const SETTLED_WITHIN_MS = 20_000;
const NOT_YET: readonly string[] = ['waiting', 'starting', 'backing-off'];

interface Struck {
  readonly target: string;
  readonly at: number;
  readonly runs: readonly string[];
}

export interface World {
  readonly cluster: BenchCluster;
  readonly machine: Machine;
  readonly disk: Disk;
  readonly random: Random;
}

/** Does harm, one kind at a time, and waits until it is over. */
export class Injector {
  readonly injections: Injection[] = [];
  readonly absences: Absence[] = [];

  constructor(private readonly world: World) {}

  /** Resolves when the fault is over; with undefined when there was nothing that it could strike. */
  async inject(kind: Kind): Promise<Injection | undefined> {
    const struck = await this.strike(kind);
    if (!struck) return undefined;
    const injection = { kind, ...struck, over: Date.now() };
    this.injections.push(injection);
    return injection;
  }

  /** Resolves when every service runs again and the killed children are replaced, or after a while. */
  async settled(): Promise<void> {
    const end = performance.now() + SETTLED_WITHIN_MS;
    while (performance.now() < end) {
      const processes = await this.world.cluster.processes().catch(() => []);
      const states = [...processes, ...this.world.machine.workers].map(({ state }) => state);
      if (processes.length > 0 && !states.some((state) => NOT_YET.includes(state))) return;
      await pause(LOOK_MS);
    }
  }

  private strike(kind: Kind): Promise<Struck | undefined> {
    switch (kind) {
      case 'child':
        return this.childKilled();
      case 'supervisor':
        return this.killed('segment-runner', () => this.atWorkHere());
      case 'coordinator':
      case 'sweeper':
      case 'gateway':
        return this.killed(kind);
      case 'workspaceManager':
        return this.killed('workspace-manager');
      case 'model':
        return this.killed('model-simulator');
      case 'bus':
        return this.killed('nats');
      case 'log':
        return this.killed('event-store');
      case 'busWiped':
        return this.busWiped();
      case 'busRobbed':
        return this.busRobbed();
      case 'childFrozen':
        return this.childFrozen();
      case 'supervisorFrozen':
        return this.supervisorFrozen();
      case 'connectionsCut':
        return this.onMachine('connections reset', async (machine) => machine.cutConnections());
      case 'cutOff':
        return this.onMachine('packets dropped both ways', (machine) => this.swallow(machine, CUT_OFF_MS));
      case 'oneWay': {
        const direction = this.world.random() < 0.5 ? 'up' : 'down';
        return this.onMachine(`packets dropped ${direction}`, (machine) => this.swallow(machine, FROZEN_MS, direction));
      }
      case 'diskFull':
        return this.diskFull();
      case 'allOff':
        return this.allOff();
    }
  }

  private async killed(name: string, whom = (): Promise<readonly Worker[]> => this.atWork()): Promise<Struck> {
    const pid = await this.pidOf(name);
    const runs = runsOf(await whom());
    const at = this.kill(pid);
    await this.isBack(name, pid);
    return { target: `${name} ${pid}`, at, runs };
  }

  private async childKilled(): Promise<Struck | undefined> {
    const child = await this.someWorker(() => this.atWork());
    if (!child) return undefined;
    return { target: `child ${child.pid}`, at: this.kill(child.pid), runs: runsOf([child]) };
  }

  private async childFrozen(): Promise<Struck | undefined> {
    const child = await this.someWorker(() => this.atWork());
    if (!child) return undefined;
    const at = await this.freeze(child.pid);
    return { target: `child ${child.pid}`, at, runs: runsOf([child]) };
  }

  private async supervisorFrozen(): Promise<Struck> {
    const pid = await this.pidOf('segment-runner');
    const runs = runsOf(await this.atWorkHere());
    return { target: `segment-runner ${pid}`, at: await this.freeze(pid), runs };
  }

  private async busWiped(): Promise<Struck> {
    const pid = await this.pidOf('nats');
    const runs = runsOf(await this.atWork());
    const at = Date.now();
    send(pid, 'SIGSTOP');
    rmSync(join(this.world.cluster.folder, 'nats'), { recursive: true, force: true });
    this.kill(pid);
    await this.isBack('nats', pid);
    return { target: `nats ${pid} and its storage`, at, runs };
  }

  /**
   * Takes the files from a server that lives: it answers on and stores nothing, until the cluster starts it again. It is
   * started anew first, since one that has worked keeps its newest file open, which is enough to serve those whom it knows
   * for as long as they use it; and again, with its files, while somebody was quicker to use it than they were gone.
   */
  private async busRobbed(): Promise<Struck> {
    const runs = runsOf(await this.atWork());
    const files = join(this.world.cluster.folder, 'nats');
    const away = `${files}.robbed`;
    const at = Date.now();
    for (let times = 0; times < ROBBED_TIMES; times += 1) {
      const before = await this.pidOf('nats');
      this.kill(before);
      const pid = await this.running('nats', before);
      renameSync(files, away);
      if (!holdsOpen(pid, away)) {
        rmSync(away, { recursive: true, force: true });
        await this.isBack('nats', pid);
        return { target: `the files of nats ${pid}`, at, runs };
      }
      rmSync(files, { recursive: true, force: true });
      renameSync(away, files);
    }
    return { target: 'nats, killed again and again: it kept its files', at, runs };
  }

  private async onMachine(target: string, work: (machine: Machine) => Promise<void>): Promise<Struck | undefined> {
    const { machine } = this.world;
    if (!(await this.someWorker(async () => (await this.atWorkThere()).filter(hasBegun)))) return undefined;
    const runs = runsOf(await this.atWorkThere());
    const at = Date.now();
    await work(machine);
    return { target: `second machine: ${target}`, at, runs };
  }

  private async swallow(machine: Machine, ms: number, direction?: 'up' | 'down'): Promise<void> {
    const at = Date.now();
    machine.swallow(direction && [direction]);
    const there = await this.atWorkThere();
    await pause(ms);
    const until = Date.now();
    const from = unheardFrom(at, machine.breaks, direction);
    machine.heal();
    if (from !== undefined) for (const { pid } of there) this.absences.push({ pid, how: 'cut-off', from, until });
  }

  private async diskFull(): Promise<Struck | undefined> {
    const { disk } = this.world;
    if (disk.refusal !== undefined) return undefined;
    const runs = runsOf(await this.atWork());
    const at = Date.now();
    const end = performance.now() + DISK_FULL_MS;
    while (performance.now() < end) {
      await disk.fill();
      await pause(FILL_AGAIN_MS);
    }
    disk.makeRoom();
    return { target: 'the disk of the whole cluster', at, runs };
  }

  /** Everything at once, the commands too, and first of all the one that would start the others again. */
  private async allOff(): Promise<Struck> {
    const { cluster, machine } = this.world;
    const pids = (await this.processes()).flatMap(({ pid }) => (pid === null ? [] : [pid]));
    const runs = runsOf(await this.atWork());
    const at = Date.now();
    for (const pid of pids) this.kill(pid);
    for (const pid of machine.switchOff()) this.absences.push({ pid, how: 'killed', from: at });
    for (const pid of processesOf(cluster.folder)) this.kill(pid);
    await cluster.again();
    machine.switchOn();
    return { target: `${pids.length} processes`, at, runs };
  }

  private kill(pid: number): number {
    const at = Date.now();
    if (send(pid, 'SIGKILL')) this.absences.push({ pid, how: 'killed', from: at });
    return at;
  }

  private async freeze(pid: number): Promise<number> {
    const at = Date.now();
    send(pid, 'SIGSTOP');
    await pause(FROZEN_MS);
    this.absences.push({ pid, how: 'frozen', from: at, until: Date.now() });
    send(pid, 'SIGCONT');
    return at;
  }

  private async someWorker(workers: () => Promise<readonly Worker[]>): Promise<Worker | undefined> {
    const end = performance.now() + WORK_WITHIN_MS;
    while (performance.now() < end) {
      const present = await workers().catch(() => []);
      const chosen = present[wholeBelow(this.world.random, present.length)];
      if (chosen) return chosen;
      await pause(LOOK_MS);
    }
    return undefined;
  }

  /** The processes that work on a segment now. */
  private async atWork(): Promise<readonly Worker[]> {
    return [...(await this.atWorkHere()), ...(await this.atWorkThere())];
  }

  private async atWorkHere(): Promise<readonly Worker[]> {
    const processes = await this.processes();
    return workersAmong(processes).filter(({ run }) => run !== undefined);
  }

  private async atWorkThere(): Promise<readonly Worker[]> {
    return this.world.machine.workers.filter(({ run }) => run !== undefined);
  }

  /** On a machine that is overloaded the cluster's own supervisor may answer late. @throws when it does not at all */
  private async processes(): Promise<readonly ListedProcess[]> {
    const end = performance.now() + BACK_WITHIN_MS;
    for (;;) {
      try {
        return await this.world.cluster.processes();
      } catch (error) {
        if (performance.now() >= end) throw error;
        await pause(LOOK_MS);
      }
    }
  }

  private async pidOf(name: string): Promise<number> {
    return this.running(name, undefined);
  }

  private async isBack(name: string, before: number): Promise<void> {
    await this.running(name, before);
  }

  /** @throws when the service does not run in time */
  private async running(name: string, before: number | undefined): Promise<number> {
    const end = performance.now() + BACK_WITHIN_MS;
    while (performance.now() < end) {
      const processes = await this.world.cluster.processes().catch(() => []);
      const found = processes.find((one) => one.name === name && one.state === 'running' && one.pid !== before);
      if (typeof found?.pid === 'number') return found.pid;
      await pause(LOOK_MS);
    }
    throw new Error(`${name} was not running within ${BACK_WITHIN_MS / 1_000} s.`);
  }
}

const workersAmong = (processes: readonly ListedProcess[]): readonly Worker[] =>
  processes.flatMap(({ name, pid, state, run }) => (name === 'segment' && pid !== null ? [{ pid, state, run }] : []));

const hasBegun = ({ state }: Worker): boolean => state === 'working';

/** The runs whose segments had begun: the others stood still before the fault as well. */
const runsOf = (workers: readonly Worker[]): readonly string[] =>
  workers.filter(hasBegun).flatMap(({ run }) => (run ? [run] : []));

/** What was started for this folder, or by what was: the commands in workspaces are listed nowhere. */
function processesOf(folder: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.filter((pid) => ['cmdline', 'environ'].some((file) => told(pid, file).includes(folder))).map(Number);
}

function told(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
