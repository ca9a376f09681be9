import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '#platform';
import { BenchCluster } from '../bench/relay/local-cluster.js';
import { type Random, seeded } from '../simulation/world/random.js';
import type { Facts } from './check/facts.js';
import { Disk } from './disk.js';
import { readDisk, readLog } from './evidence.js';
import { Gateway } from './gateway.js';
import { Injector } from './injector.js';
import { Load, type LoadWishes } from './load.js';
import { Machine } from './machine.js';
import { mondayReport } from './monday.js';
import { type Kind, once, plan, type Turn } from './plan.js';
import { Processors } from './processors.js';
import { Viewers } from './viewers.js';
import { Watcher } from './watcher.js';

export interface Wishes extends LoadWishes {
  /** For how long faults strike; `once`: each kind strikes once, however long that takes. */
  readonly minutes: number | 'once';
  readonly seed: number;
  readonly kinds: readonly Kind[];
}

const MINUTE_MS = 60_000;
/** More runs than this wait for their turn, as they would on any small machine. */
const MOST_WORKERS = 12;
/** Idle children, so that what goes on after a kill does not wait for a process to boot. */
const SPARE_WORKERS = 2;
/** A cluster does not start with less than 100 MB free; the rest is for what it writes, minute after minute. */
const DISK_MEGABYTES = { least: 250, aMinute: 25 };
const TELL_MS = 5_000;
/** What a run may take for one item at most, its turn among the others included, in milliseconds. */
const ITEM_MS = 3_000;
const AFTER_ALL_MS = 90_000;
/** How long viewers may take to see the end of what has ended. */
const VIEWERS_MS = 20_000;

interface Cast {
  readonly load: Load;
  readonly injector: Injector;
  readonly watcher: Watcher;
  readonly viewers: Viewers;
}

export type Say = (line: string) => void;

/** One session: a cluster, its load, its watchers and the one who does harm. */
export class Session {
  /** Why no more faults came before the time was over; what was known until then is judged all the same. */
  brokeOff: string | undefined;
  private readonly scratch = mkdtempSync(join(tmpdir(), 'baton-chaos-'));
  private readonly disk: Disk;
  private readonly random: Random;
  private cluster: BenchCluster | undefined;
  private machine: Machine | undefined;
  private readonly processors = new Processors();

  constructor(
    private readonly wishes: Wishes,
    private readonly say: Say,
  ) {
    this.random = seeded(wishes.seed);
    const minutes = wishes.minutes === 'once' ? wishes.kinds.length : Math.ceil(wishes.minutes);
    this.disk = Disk.mount(join(this.scratch, 'disk'), DISK_MEGABYTES.least + minutes * DISK_MEGABYTES.aMinute);
    if (this.disk.refusal !== undefined) say(`no disk is filled: a small one cannot be mounted (${this.disk.refusal})`);
  }

  /** Plays it all and answers with what is known then; the cluster is down. */
  async play(): Promise<Facts> {
    const here = Math.min(this.wishes.runs, MOST_WORKERS);
    const folder = join(this.disk.folder, 'data');
    const cluster = (this.cluster = await BenchCluster.start({ pool: here + SPARE_WORKERS }, folder));
    const machine = (this.machine = await Machine.start(cluster, Math.ceil(here / 4), join(this.scratch, 'logs')));
    const gateway = new Gateway(cluster);
    const load = new Load(gateway, this.wishes);
    const cast: Cast = {
      load,
      injector: new Injector({ cluster, machine, disk: this.disk, random: this.random }),
      watcher: new Watcher(gateway, load),
      viewers: new Viewers(gateway, load, seeded(this.wishes.seed + 1)),
    };
    const since = new Date().toISOString();
    await load.prepare();
    await this.perform(cast);
    const report = await mondayReport(gateway, since);
    const logged = await readLog(cluster.log, load.started);
    await this.switchOff();
    const { injections, absences } = cast.injector;
    const { samples } = cast.watcher;
    const viewings = cast.viewers.collected();
    return { runs: readDisk(folder, logged), samples, viewings, absences, injections, report };
  }

  /** How busy the processors were from its beginning until now, by whomever; 1 is all of them, all the time. */
  busy(): number {
    return this.processors.busy();
  }

  /** Where the services have written what they had to say. */
  logs(): readonly string[] {
    return [join(this.disk.folder, 'data', 'logs'), join(this.scratch, 'logs')];
  }

  /** Stops whatever still runs and leaves nothing behind. */
  async end(): Promise<void> {
    await this.switchOff();
    this.disk.unmount();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  private async switchOff(): Promise<void> {
    const { cluster, machine } = this;
    this.cluster = undefined;
    this.machine = undefined;
    await machine?.stop();
    await cluster?.down();
  }

  /** Everybody at once, until the runs are over or have had their time. @throws what went wrong with chaos itself */
  private async perform({ load, injector, watcher, viewers }: Cast): Promise<void> {
    const [enough, over, giveUp] = [new AbortController(), new AbortController(), new AbortController()];
    const telling = setInterval(() => this.tell(load), TELL_MS);
    let late: NodeJS.Timeout | undefined;
    const all = Promise.all([
      load.keepOpen(enough.signal),
      watcher.watch(over.signal),
      viewers.view(enough.signal, giveUp.signal),
      this.harm(injector).finally(() => enough.abort()),
    ]);
    try {
      await Promise.race([all, this.untilFinished(load, enough.signal, giveUp.signal)]);
      over.abort();
      late = setTimeout(() => giveUp.abort(), VIEWERS_MS);
      await all;
    } finally {
      clearInterval(telling);
      clearTimeout(late);
      for (const one of [enough, over, giveUp]) one.abort();
    }
  }

  private async harm(injector: Injector): Promise<void> {
    await injector.settled();
    const { minutes, kinds: wished } = this.wishes;
    const end = minutes === 'once' ? Number.POSITIVE_INFINITY : performance.now() + minutes * MINUTE_MS;
    for (const { pauseMs, kinds } of (minutes === 'once' ? once : plan)(this.random, wished)) {
      await pause(Math.max(0, Math.min(pauseMs, end - performance.now())));
      if (performance.now() >= end) return;
      try {
        await this.strike(injector, kinds);
      } catch (error) {
        this.brokeOff = messageOf(error);
        this.say(`no more faults, since one could not be done to its end: ${this.brokeOff}`);
        return;
      }
      await injector.settled();
    }
  }

  private async strike(injector: Injector, kinds: Turn['kinds']): Promise<void> {
    this.say(`${kinds.join(' and ')} …`);
    const done = await Promise.all(kinds.map((kind) => injector.inject(kind)));
    for (const [place, injection] of done.entries()) {
      const took = injection
        ? `${injection.target}, over after ${injection.over - injection.at} ms`
        : 'nothing to strike';
      this.say(`${kinds[place]}: ${took}`);
    }
  }

  /** After the last fault everything ends within a time that follows from what is still to do. */
  private async untilFinished(load: Load, enough: AbortSignal, giveUp: AbortSignal): Promise<void> {
    while (!enough.aborted) await pause(100);
    if (giveUp.aborted) return;
    const items = this.wishes.runs * this.wishes.itemsEach;
    const limitMs = AFTER_ALL_MS + (items * ITEM_MS) / Math.min(this.wishes.runs, MOST_WORKERS);
    this.say(`no more faults; the open runs have ${Math.round(limitMs / 1_000)} s to finish`);
    const end = performance.now() + limitMs;
    while (load.openRuns().length > 0 && performance.now() < end && !giveUp.aborted) await pause(100);
  }

  private tell(load: Load): void {
    const open = load.openRuns().length;
    this.say(`${open} runs open, ${load.started.length - open} ended, ${this.disk.freeMegabytes()} MB free`);
  }
}
