import { AdvanceRun, type RunnerRef, WORK_CONSUMERS } from '#contracts';
import { systemClock } from '#platform';
import { createCoordinator } from '../../apps/coordinator/src/coordinator.js';
import { createSweeper } from '../../apps/sweeper/src/sweeper.js';
import { BusPort } from './bus-port.js';
import { JetStream } from './jetstream.js';
import { LogPort } from './log-port.js';
import { Outside } from './outside.js';
import { superviseSegments } from './runner.js';
import { Switchboard } from './switchboard.js';
import { manageWorkspaces, WorkspaceDisks } from './workspaces.js';
import type { Process, Role, World } from './world.js';

const SILENCE_MS = 5_000;
/** How long it takes until a dead service is started again, in milliseconds: anything up to twice as long. */
const RESTART_MS = 300;

type Start = (process: Process) => void;

/** Two of each service over one log and one bus; what dies is started again. */
export class Cluster {
  readonly stream: JetStream;
  readonly disks: WorkspaceDisks;
  readonly outside: Outside;
  private readonly board = new Switchboard();
  private readonly births = new Map<string, number>();

  constructor(readonly world: World) {
    this.stream = new JetStream(world);
    // Who asks for messages asks again as soon as the bus is there.
    world.onBusFound(() => this.stream.kickAll());
    this.outside = new Outside(world);
    this.disks = new WorkspaceDisks(world, this.outside);
  }

  start(): void {
    // The first sweeper sees the processes of a runner, as everybody does on a laptop.
    this.keep('sweeper', 'machine-r1', (process) => this.sweep(process));
    this.keep('sweeper', 'machine-c2', (process) => this.sweep(process));
    for (const place of [1, 2]) {
      this.keep('coordinator', `machine-c${place}`, (process) => this.coordinate(process));
      this.keep('supervisor', `machine-r${place}`, (process) =>
        superviseSegments(this.world, process, (of) => this.busOf(of)),
      );
    }
    this.keep('workspace-manager', 'machine-w', (process) =>
      manageWorkspaces(this.world, process, this.busOf(process), this.disks),
    );
  }

  busOf(process: Process): BusPort {
    return new BusPort(this.world, process, this.stream, this.board);
  }

  /** Starts the process now and whenever it has died. */
  keep(role: Role, machine: string, start: Start): void {
    const { world } = this;
    const name = `${role} ${machine.slice('machine-'.length)}`;
    const birth = (this.births.get(name) ?? 0) + 1;
    this.births.set(name, birth);
    const process = world.begin(birth === 1 ? name : `${name} (${birth})`, role, machine);
    process.onDeath.add(() => {
      const delayMs = RESTART_MS * (1 + world.random());
      world.post(undefined, delayMs, () => this.keep(role, machine, start));
    });
    world.post(process, 1, () => start(process));
  }

  private coordinate(process: Process): void {
    const bus = this.busOf(process);
    const coordinator = createCoordinator({ ...this.surroundings(process), bus });
    bus.consume(AdvanceRun, WORK_CONSUMERS.advanceRun, ({ runId }) => coordinator.advances.advance(runId), {
      concurrency: 32,
    });
    coordinator.start();
  }

  private sweep(process: Process): void {
    const bus = this.busOf(process);
    const isGone = ({ pid, mark }: RunnerRef): boolean =>
      mark?.home === process.machine && ![...this.world.processes].some((one) => one.pid === pid);
    createSweeper({ ...this.surroundings(process), bus, silenceMs: SILENCE_MS, isGone }).start();
  }

  private surroundings(process: Process) {
    const { world } = this;
    const log = new LogPort(world, process);
    return { log, logger: world.loggerOf(process), clock: systemClock, id: process.name };
  }
}
