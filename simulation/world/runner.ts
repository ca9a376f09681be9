import { EventEmitter } from 'node:events';
import { messageOf, systemClock } from '#platform';
import { Child } from '../../apps/segment-runner/src/child/child.js';
import { successor } from '../../apps/segment-runner/src/child/successor.js';
import { SegmentRunnerConfig } from '../../apps/segment-runner/src/config.js';
import { type FromChild, type ToChild, TURNING_MS } from '../../apps/segment-runner/src/ipc.js';
import { Pool, type PoolChild } from '../../apps/segment-runner/src/supervisor/pool.js';
import { SegmentRunnerService } from '../../apps/segment-runner/src/supervisor/segment-runner.service.js';
import type { BusPort } from './bus-port.js';
import { LogPort } from './log-port.js';
import { modelOf } from './model-port.js';
import { pulseOf } from './pulse-port.js';
import type { Process, World } from './world.js';

const CONFIG = SegmentRunnerConfig.parse({ HOSTNAME: 'simulated' });
/** How long a child needs to start, in milliseconds: anything up to twice as long. */
const BOOT_MS = 150;
const IPC_MS = 1;
/** Children of a supervisor. */
const POOL = 2;

export type BusOf = (process: Process) => BusPort;

/** A segment-runner on a machine: the real supervisor and pool, over children that are processes of the world. */
export function superviseSegments(world: World, supervisor: Process, busOf: BusOf): void {
  const bus = { ...bound(busOf(supervisor)), health: notAsked, close: notAsked };
  const log = new LogPort(world, supervisor);
  let born = 0;
  const fork = (): PoolChild => {
    born += 1;
    return startChild(world, supervisor, busOf, `${supervisor.name}/child-${born}`);
  };
  const pool = new Pool({
    fork,
    size: POOL,
    segmentsPerChild: 50,
    hungMs: CONFIG.BATON_HUNG_MS,
    runnerId: supervisor.name,
    logger: world.loggerOf(supervisor),
  });
  new SegmentRunnerService(CONFIG, bus, log, pool).takeSegments();
}

const bound = (bus: BusPort) => ({ consume: bus.consume.bind(bus) });

const notAsked = (): never => {
  throw new Error('A supervisor of a simulated world has no health port and is never closed.');
};

/** The channel between a supervisor and its child: what is said first is heard first. */
function inOrder(world: World, hearer: Process): (deliver: () => void) => void {
  let arrives = 0;
  return (deliver) => {
    arrives = Math.max(arrives, world.now + IPC_MS + world.trip());
    world.post(hearer, arrives - world.now, deliver);
  };
}

function startChild(world: World, supervisor: Process, busOf: BusOf, name: string): PoolChild {
  const process = world.begin(name, 'child', supervisor.machine);
  const events = new EventEmitter();
  const [up, down] = [inOrder(world, supervisor), inOrder(world, process)];
  const toSupervisor = (event: string, ...args: unknown[]): void => up(() => events.emit(event, ...args));
  const tell = (message: FromChild): void => {
    if (world.passes(process, () => `tell: ${message.type}`)) toSupervisor('message', message);
  };
  let child: Child | undefined;
  const exit = (why: string): void => world.kill(process, why);
  process.onDeath.add(() => toSupervisor('exit', null, 'SIGKILL'));
  const leave = (): void => {
    if (!child) return exit('its supervisor is gone');
    child.drain('The supervisor of its process was gone.');
    void child.settled().finally(() => exit('its supervisor is gone'));
  };
  /** As its program has it. */
  const disconnected = async (): Promise<void> => {
    const ended = child?.settled().catch(() => undefined);
    const around = { bus: busOf(process), clock: systemClock, random: () => world.random(), siblings: POOL };
    await Promise.race([ended, successor(around)]);
    leave();
  };
  supervisor.onDeath.add(() => world.post(process, 0, () => void disconnected()));
  world.post(process, BOOT_MS * (1 + world.random()), () => {
    const bus = busOf(process);
    child = new Child({
      config: CONFIG,
      logger: world.loggerOf(process),
      bus,
      log: new LogPort(world, process),
      prices: { source: 'nobody', readOn: '2026-01-01', usdPerMillionTokens: {} },
      tell,
      pulse: pulseOf(bus, process.pid),
      createModel: modelOf(world, process),
      mark: { home: process.machine, born: process.name },
    });
    tell({ type: 'idle' });
    // Said so often that it is no boundary: its loss is that of the process.
    setInterval(() => toSupervisor('message', child?.sign()), TURNING_MS);
  });
  const hear = (order: ToChild): void => {
    if (order.type === 'drain') return child?.drain();
    child?.run(order).catch((error: unknown) => {
      world.chronicle.surprises.push(`${name} threw: ${messageOf(error)}`);
      exit(messageOf(error));
    });
  };
  const handle = {
    pid: process.pid,
    get connected() {
      return process.alive;
    },
    send: (order: ToChild) => {
      if (world.passes(supervisor, () => `order: ${order.type}`)) down(() => hear(order));
      return true;
    },
    kill: () => {
      exit('killed by its supervisor');
      return true;
    },
    on: events.on.bind(events),
    once: events.once.bind(events),
  };
  return handle as unknown as PoolChild;
}
