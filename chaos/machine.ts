import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { builtApp } from '../apps/cli/src/cluster/checkout.js';
import { type Direction, TcpProxy } from '../apps/cli/src/faults/tcp-proxy.js';
import { inherited } from '../bench/relay/config.js';
import type { BenchCluster } from '../bench/relay/local-cluster.js';

const Report = z.object({
  type: z.literal('processes'),
  processes: z.array(z.object({ pid: z.int(), state: z.string(), run: z.string().optional() })),
});

/** A child of a segment-runner. */
export interface Worker {
  readonly pid: number;
  readonly state: string;
  readonly run?: string | undefined;
}

/** A second machine with a segment-runner, whose wires to the log and to the bus can be cut. */
export class Machine {
  /** The children of the runner. */
  workers: readonly Worker[] = [];
  private runner: ChildProcess | undefined;
  private stopping = false;

  private constructor(
    private readonly wires: { readonly log: TcpProxy; readonly bus: TcpProxy },
    private readonly environment: NodeJS.ProcessEnv,
    private readonly logFile: string,
  ) {}

  static async start({ ports, folder }: BenchCluster, pool: number, logs: string): Promise<Machine> {
    const host = '127.0.0.1';
    const log = await TcpProxy.start({ host, port: ports['event-store'] });
    const bus = await TcpProxy.start({ host, port: ports.nats });
    const data = join(folder, 'second-machine');
    mkdirSync(data, { recursive: true });
    mkdirSync(logs, { recursive: true });
    const environment = {
      ...inherited(),
      BATON_LOG_URL: `esdb://${host}:${log.port}?tls=false`,
      BATON_BUS_URL: `nats://${host}:${bus.port}`,
      BATON_MODEL_URL: `http://${host}:${ports['model-simulator']}`,
      BATON_HEALTH_PORT: '0',
      BATON_POOL_SIZE: String(pool),
      BATON_DATA: data,
      HOSTNAME: 'second-machine',
    };
    const machine = new Machine({ log, bus }, environment, join(logs, 'second-machine.log'));
    machine.switchOn();
    return machine;
  }

  switchOn(): void {
    const log = openSync(this.logFile, 'a');
    const runner = fork(builtApp('segment-runner'), [], {
      env: this.environment,
      execArgv: [],
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.runner = runner;
    runner.on('message', (message) => {
      const report = Report.safeParse(message);
      if (report.success) this.workers = report.data.processes;
    });
    runner.once('exit', () => {
      if (this.runner === runner && !this.stopping) this.switchOn();
    });
  }

  /** SIGKILL to everything on it; it stays off. Answers whom that was. */
  switchOff(): readonly number[] {
    const { runner } = this;
    this.runner = undefined;
    const pids = [...(runner?.pid === undefined ? [] : [runner.pid]), ...this.workers.map(({ pid }) => pid)];
    this.workers = [];
    for (const pid of pids) send(pid, 'SIGKILL');
    return pids;
  }

  /** When connections to the bus broke, of whatever cause, the oldest first; milliseconds since 1970. */
  get breaks(): readonly number[] {
    return this.wires.bus.breaks;
  }

  cutConnections(): void {
    for (const wire of Object.values(this.wires)) wire.cut();
  }

  swallow(directions?: readonly Direction[]): void {
    for (const wire of Object.values(this.wires)) wire.swallow(directions);
  }

  heal(): void {
    for (const wire of Object.values(this.wires)) wire.heal();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const { runner } = this;
    if (runner && runner.exitCode === null && runner.signalCode === null) {
      const ended = once(runner, 'exit');
      runner.kill('SIGTERM');
      await ended;
    }
    await Promise.all(Object.values(this.wires).map((wire) => wire.close()));
  }
}

/** A connection that broke is made anew so soon, at the latest, milliseconds. */
const RECONNECT_MS = 1_000;

/**
 * From when on nobody hears a machine whose packets are dropped since `at`. Who only gets no answers is heard all the
 * same, until a connection breaks: he cannot make a new one.
 */
export function unheardFrom(at: number, breaks: readonly number[], direction?: Direction): number | undefined {
  if (direction !== 'down') return at;
  const first = breaks.find((broken) => broken >= at - RECONNECT_MS);
  return first === undefined ? undefined : Math.max(at, first);
}

/** Answers whether there was such a process. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
