import type { StoredEvent } from '#log';
import { createMemoryLog, type EventLog } from '#log';
import type { Logger } from '#platform';
import { Chronicle, Ledger } from './ledger.js';
import { type Random, seeded, wholeBelow } from './random.js';
import type { Owner, Scheduler, Task } from './scheduler.js';
import { beginWorld, WORLD_BEGINS } from './virtual-time.js';

/** What kind of process stands at a boundary. */
export type Role = 'coordinator' | 'sweeper' | 'supervisor' | 'child' | 'workspace-manager' | 'gateway';

/** A process of the world. Once dead it does nothing any more, whatever of it still waits. */
export class Process implements Owner {
  alive = true;
  pausedUntil = 0;
  skewMs = 0;
  /** What ends with it: subscriptions, children, and whoever notices. */
  readonly onDeath = new Set<() => void>();

  constructor(
    readonly name: string,
    readonly role: Role,
    /** What it shares its power supply with. */
    readonly machine: string,
    readonly pid: number,
  ) {}
}

/** A place where a process meets the world: right before it asks for something, or right after it was answered. */
export interface Boundary {
  readonly place: number;
  readonly role: Role;
  readonly what: string;
}

/** What becomes of one message. `answer-lost`: it arrives and is carried out, and nobody tells. */
export type Fate = 'lost' | 'answer-lost' | 'doubled' | 'delayed';

type Watcher = (event: StoredEvent, by: Process) => void;

/** What a fault does when its boundary is reached. */
export type Strike = (process: Process) => void;

export interface WorldOptions {
  readonly seed: number;
  /** By the number of the boundary, from 1. */
  readonly strikes?: ReadonlyMap<number, Strike>;
  readonly keepBoundaries?: boolean;
  readonly tell?: ((line: string) => void) | undefined;
}

/** The longest time that a message or an answer is on its way, in milliseconds; mostly it is much shorter. */
const LONGEST_TRIP_MS = 8;

export class World {
  readonly scheduler: Scheduler;
  readonly log: EventLog;
  readonly chronicle = new Chronicle();
  private readonly ledgers = new Map<string, Ledger>();
  readonly random: Random;
  readonly boundaries: Boundary[] = [];
  readonly processes = new Set<Process>();
  /** Until when the log, the bus or a machine's network is away, in milliseconds of the world. */
  readonly away = { log: 0, bus: 0 };
  /** When the last disturbance ended. */
  disturbedUntil = 0;
  places = 0;
  private born = 0;
  /** How many events each stream holds. */
  private readonly lengths = new Map<string, number>();
  private readonly watchers = new Set<Watcher>();
  private readonly fates = new Map<Process, Fate>();
  private deliveryFate: { readonly fate: Fate; readonly subject: string } | undefined;
  private readonly busFound = new Set<() => void>();
  private readonly cutOff = new Map<string, number>();
  private readonly logLost = new Set<(machine?: string) => void>();

  constructor(readonly options: WorldOptions) {
    this.scheduler = beginWorld(options.seed);
    this.random = seeded(options.seed);
    this.log = createMemoryLog(() => WORLD_BEGINS + this.scheduler.now);
  }

  get now(): number {
    return this.scheduler.now;
  }

  post(owner: Process | undefined, delayMs: number, run: () => void): Task {
    return this.scheduler.post(owner, delayMs, run);
  }

  /** How long the next message is on its way. */
  trip(): number {
    return 0.2 + this.random() ** 3 * LONGEST_TRIP_MS;
  }

  /** Whether the process still lives behind this boundary. What it is, is worked out only where somebody wants to know. */
  passes(process: Process, what: () => string): boolean {
    if (!process.alive) return false;
    const place = (this.places += 1);
    const { keepBoundaries, tell, strikes } = this.options;
    if (keepBoundaries) this.boundaries.push({ place, role: process.role, what: what() });
    if (tell) this.tell(process.name, `#${place} ${what()}`);
    strikes?.get(place)?.(process);
    return process.alive;
  }

  begin(name: string, role: Role, machine: string): Process {
    const process = new Process(name, role, machine, (this.born += 1));
    this.processes.add(process);
    return process;
  }

  kill(process: Process, why: string): void {
    if (!process.alive) return;
    process.alive = false;
    this.processes.delete(process);
    this.tell(process.name, `DIES: ${why}`);
    for (const end of process.onDeath) end();
    process.onDeath.clear();
  }

  /** Everything on the machine dies at once. */
  powerOff(machine: string): void {
    for (const process of this.processes) if (process.machine === machine) this.kill(process, 'power off');
  }

  pause(process: Process, forMs: number): void {
    this.disturb(forMs);
    process.pausedUntil = this.now + forMs;
    this.tell(process.name, `PAUSED for ${forMs} ms`);
  }

  disturb(forMs: number): void {
    this.disturbedUntil = Math.max(this.disturbedUntil, this.now + forMs);
  }

  /** Decides what becomes of the next message that the process sends. */
  doom(process: Process, fate: Fate): void {
    this.fates.set(process, fate);
  }

  takeFate(process: Process): Fate | undefined {
    const fate = this.fates.get(process);
    this.fates.delete(process);
    return fate;
  }

  /** Decides what becomes of the next message under the subject that a durable consumer delivers. */
  doomDelivery(fate: Fate, subject = ''): void {
    this.deliveryFate = { fate, subject };
  }

  takeDeliveryFate(subject: string): Fate | undefined {
    if (!this.deliveryFate || !subject.startsWith(this.deliveryFate.subject)) return undefined;
    const { fate } = this.deliveryFate;
    this.deliveryFate = undefined;
    return fate;
  }

  /** The bus has heard a final word of a message. */
  acknowledged({ subject, body }: { readonly subject: string; readonly body: unknown }): void {
    const { runId } = body as { readonly runId: string };
    this.ledgerOf(runId).ack({ subject, body, logLength: this.lengthOf(`run-${runId}`) });
  }

  ledgerOf(runId: string): Ledger {
    const known = this.ledgers.get(runId) ?? new Ledger(() => this.scheduler.now, this.chronicle);
    this.ledgers.set(runId, known);
    return known;
  }

  /** The log answers nobody for a while; every subscription is lost. */
  loseLog(forMs: number): void {
    this.disturb(forMs);
    this.away.log = Math.max(this.away.log, this.now + forMs);
    this.tell('log', `AWAY for ${forMs} ms`);
    for (const lose of this.logLost) lose();
  }

  /** The bus is gone for a while: every connection is lost and found again. */
  loseBus(forMs: number, whileAway: () => void): void {
    this.disturb(forMs);
    this.away.bus = Math.max(this.away.bus, this.now + forMs);
    this.tell('bus', `AWAY for ${forMs} ms`);
    this.post(undefined, forMs, () => {
      if (this.isBusAway()) return;
      whileAway();
      for (const found of this.busFound) found();
    });
  }

  /** For everybody, or for one process whose machine is cut off. */
  isBusAway(process?: Process): boolean {
    return this.now < this.away.bus || this.isCutOff(process);
  }

  isCutOff(process?: Process): boolean {
    return process !== undefined && this.now < (this.cutOff.get(process.machine) ?? 0);
  }

  /** Packets to and from the machine are dropped, and nothing is closed. */
  cut(machine: string, forMs: number): void {
    this.disturb(forMs);
    this.cutOff.set(machine, this.now + forMs);
    this.tell(machine, `CUT OFF for ${forMs} ms`);
    for (const lose of this.logLost) lose(machine);
    this.post(undefined, forMs, () => {
      for (const found of this.busFound) found();
    });
  }

  onBusFound(found: () => void): () => void {
    this.busFound.add(found);
    return () => void this.busFound.delete(found);
  }

  isLogAway(process?: Process): boolean {
    return this.now < this.away.log || this.isCutOff(process);
  }

  onLogLost(lose: (machine?: string) => void): () => void {
    this.logLost.add(lose);
    return () => void this.logLost.delete(lose);
  }

  /** Calls for each event that is committed, as it is committed. */
  onCommit(watcher: Watcher): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  /** How many events the stream has been seen to hold. */
  lengthOf(stream: string): number {
    return this.lengths.get(stream) ?? 0;
  }

  committed(event: StoredEvent, by: Process): void {
    this.lengths.set(event.stream, event.revision + 1);
    if (this.options.tell) this.tell('log', `${event.revision}@${event.stream.slice(0, 12)} ${event.type}`);
    for (const watch of this.watchers) watch(event, by);
  }

  pick<T>(values: readonly T[]): T | undefined {
    return values[wholeBelow(this.random, values.length)];
  }

  tell(who: string, what: string): void {
    this.options.tell?.(`${(this.now / 1_000).toFixed(4).padStart(9)} ${who.padEnd(22)} ${what}`);
  }

  loggerOf({ name }: Process): Logger {
    const say =
      (level: string) =>
      (facts: object, message: string): void =>
        this.tell(name, `${level}: ${message} ${JSON.stringify(facts)}`);
    const silent = (): void => undefined;
    const logger: Logger = this.options.tell
      ? { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), child: () => logger }
      : { debug: silent, info: silent, warn: silent, error: silent, child: () => logger };
    return logger;
  }
}
