import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Bus, subjectOf } from '#bus';
import { type FaultSpec, momentOf, type RunEvent, RunId, RunSegment, WORK_CONSUMERS } from '#contracts';
import { connectLog, type EventLog, Runs } from '#log';
import { newId, silentLogger } from '#platform';
import {
  type EmbeddedEventStore,
  facts,
  type Simulator,
  startEventStore,
  startNats,
  startSimulator,
  type TestNats,
  until,
} from '#testing';

const LIMIT_MS = 100_000;
/** What a whole test of real processes may take on a machine that is busy with other things. */
export const TEST_MS = 240_000;

/** What a run of a test is made of; its model works through the items with one command each. */
export interface Work {
  readonly items?: readonly string[];
  readonly thinkMs?: number;
  readonly caps?: Readonly<Record<string, number>>;
  readonly faults?: FaultSpec[];
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** Supervisors and their children as real processes (from the build), on a real bus, log and model simulator. */
export class RunnerRig {
  private readonly runners: ChildProcess[] = [];

  private constructor(
    private readonly nats: TestNats,
    private readonly store: EmbeddedEventStore,
    private readonly simulator: Simulator,
    readonly bus: Bus,
    readonly log: EventLog,
  ) {}

  static async start(): Promise<RunnerRig> {
    const [nats, store, simulator] = await Promise.all([startNats(), startEventStore(), startSimulator()]);
    const bus = await Bus.connect({ url: nats.url, name: 'test', logger: silentLogger });
    return new RunnerRig(nats, store, simulator, bus, connectLog(store.connectionString));
  }

  async stop(): Promise<void> {
    for (const runner of this.runners.splice(0)) {
      runner.kill('SIGKILL');
      // Its children live on for a moment, and hold it too.
      runner.stderr?.destroy();
    }
    await this.bus.close();
    await this.log.close();
    await Promise.all([this.nats.stop(), this.store.stop(), this.simulator.stop()]);
  }

  startRunner(env: NodeJS.ProcessEnv = {}, words: readonly string[] = []): ChildProcess {
    const { nats, store, simulator } = this;
    const places = { BATON_BUS_URL: nats.url, BATON_LOG_URL: store.connectionString, BATON_MODEL_URL: simulator.url };
    const runner = fork('dist/apps/segment-runner/src/main.js', [...words], {
      env: { ...process.env, ...places, BATON_POOL_SIZE: '1', BATON_LOG_LEVEL: 'error', ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    runner.stderr?.pipe(process.stderr, { end: false });
    this.runners.push(runner);
    return runner;
  }

  /** A run that waits for its first segment, whose doorbell has rung. */
  async scheduled({ items = [], thinkMs = 0, caps = {}, faults = [] }: Work = {}): Promise<RunId> {
    const runId = RunId.parse(newId());
    const simulate = { policy: 'items' as const, command: 'true', callsPerItem: 1, thinkMs, faults };
    const at = momentOf(Date.now());
    const request = facts.requested({ items, caps, spec: { simulate } })(at, 0);
    await new Runs(this.log, { app: 'gateway', id: 'test' }).request(runId, request as Of<'RunRequested'>);
    await this.schedule(runId, 1, 'requested');
    return runId;
  }

  /** What the coordinator does: records the segment and rings. */
  async schedule(runId: RunId, segment: number, because: Of<'SegmentScheduled'>['data']['because']): Promise<void> {
    const data = { at: momentOf(Date.now()), segment, because, restartsWithoutProgress: 0 };
    const coordinator = new Runs(this.log, { app: 'coordinator', id: 'test' });
    await coordinator.change(runId, () => [{ type: 'SegmentScheduled', data }]);
    await this.bus.publish(subjectOf(RunSegment, runId), { runId, segment });
  }

  async eventsOf(runId: RunId): Promise<readonly RunEvent[]> {
    const all: RunEvent[] = [];
    for await (const { event } of new Runs(this.log, { app: 'gateway', id: 'test' }).events(runId)) all.push(event);
    return all;
  }

  async find<T extends RunEvent['type']>(runId: RunId, type: T): Promise<Of<T> | undefined> {
    return (await this.eventsOf(runId)).findLast((event): event is Of<T> => event.type === type);
  }

  recorded<T extends RunEvent['type']>(runId: RunId, type: T): Promise<Of<T>> {
    return until(() => this.find(runId, type), LIMIT_MS);
  }

  /** The process that works on the run. */
  async childOf(runId: RunId): Promise<number> {
    return (await this.recorded(runId, 'SegmentStarted')).data.runner.pid;
  }

  /** Resolves when exactly so many processes wait for a segment. */
  async freeProcesses(count: number): Promise<void> {
    await until(async () => (await this.bus.consumerState(WORK_CONSUMERS.runSegment))?.waiting === count, LIMIT_MS);
  }

  async endOf(runId: RunId): Promise<string> {
    return (await this.recorded(runId, 'SegmentEnded')).data.reason;
  }
}

export async function exitOf(runner: ChildProcess): Promise<number | null> {
  if (runner.exitCode === null) await once(runner, 'exit');
  return runner.exitCode;
}
