import type { Backoff } from './backoff.js';
import { watchBus } from './bus-watch.js';
import type { DataFolder } from './data-folder.js';
import { KeptService, type Tell } from './kept-service.js';
import type { ListedProcess } from './listed-process.js';
import type { ServiceSpec } from './service-spec.js';

export interface Supervision {
  readonly data: DataFolder;
  readonly variables: NodeJS.ProcessEnv;
  readonly backoff: Backoff;
  /** How long each stop group may take before it is killed. */
  readonly graceMs: number;
  readonly tell: Tell;
  readonly onChange: () => void;
}

/** Who says whether the bus serves them. */
const WITNESSES: readonly string[] = ['coordinator', 'sweeper', 'segment-runner'];

/** Starts the services in the order of their needs, keeps each alive, and stops them group by group. */
export class Supervisor {
  readonly services: readonly KeptService[];
  private readonly stopping = new AbortController();

  constructor(
    specs: readonly ServiceSpec[],
    private readonly supervision: Supervision,
  ) {
    const { data, variables, backoff, tell, onChange } = supervision;
    this.services = specs.map(
      (spec) => new KeptService(spec, { logFile: data.logOf(spec.name), variables, backoff, tell, onChange }),
    );
  }

  /** Resolves when every service has been ready once. */
  async start(): Promise<void> {
    await Promise.all(
      this.services.map(async (service) => {
        await Promise.all(
          this.services.filter(({ spec }) => service.spec.needs.includes(spec.name)).map(({ ready }) => ready),
        );
        service.start();
        await service.ready;
      }),
    );
    void this.watchBus();
  }

  private async watchBus(): Promise<void> {
    const bus = this.services.find(({ spec }) => spec.name === 'nats');
    const witnesses = this.services.filter(({ spec }) => WITNESSES.includes(spec.name));
    if (bus === undefined || witnesses.length === 0) return;
    const parts = {
      pid: () => (bus.state === 'running' ? bus.identity?.pid : undefined),
      witnesses: () => witnesses.flatMap(({ listensAt }) => listensAt ?? []),
      restart: () => bus.restart('its process lives, but it does not serve all who need it.'),
    };
    await watchBus(parts, this.stopping.signal);
  }

  /** The services that are not running now, each with what it is instead. */
  missing(): readonly string[] {
    return this.services.filter(({ state }) => state !== 'running').map(({ spec, state }) => `${spec.name} (${state})`);
  }

  list(): readonly ListedProcess[] {
    return this.services.flatMap((service) => service.list());
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    const groups = [...new Set(this.services.map(({ spec }) => spec.stopGroup))].toSorted((a, b) => a - b);
    for (const group of groups) {
      const members = this.services.filter(({ spec }) => spec.stopGroup === group);
      await Promise.all(members.map((service) => service.stop(this.supervision.graceMs)));
    }
  }

  /** Ends a stop that takes too long for the person who waits. */
  kill(): void {
    this.stopping.abort();
    for (const service of this.services) service.kill();
  }
}
