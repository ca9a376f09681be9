import type { ChildProcess } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '#platform';
import { type Backoff, deathsInARow, waitMs } from './backoff.js';
import { type Identity, identify, killGroup, signal } from './born.js';
import type { ClusterRecord } from './cluster-record.js';
import { Gate } from './gate.js';
import { launch } from './launch.js';
import type { ListedProcess } from './listed-process.js';
import { lastLines } from './log-file.js';
import { answers } from './ports.js';
import { ReportedChildren } from './reported-children.js';
import { readReport } from './service-report.js';
import type { ServiceSpec } from './service-spec.js';

export type ServiceState = 'waiting' | 'starting' | 'running' | 'backing-off' | 'stopping' | 'stopped';

/** Says to the person, and to the supervisor's log, what happened. */
export type Tell = (sentence: string, facts?: object) => void;

export interface Keeping {
  readonly logFile: string;
  readonly variables: NodeJS.ProcessEnv;
  readonly backoff: Backoff;
  readonly tell: Tell;
  /** Called after each start and each end of the service's process. */
  readonly onChange: () => void;
}

const LINES_TO_QUOTE = 5;

/** One service of the cluster, started again whenever it dies, until it is stopped. */
export class KeptService {
  state: ServiceState = 'waiting';
  identity: Identity | undefined;
  /** Resolves when the service is ready for the first time. */
  readonly ready: Promise<void>;
  private readonly firstReady = new Gate();

  private child: ChildProcess | undefined;
  private exited = new Gate();
  private timer: NodeJS.Timeout | undefined;
  private startedAt: Date | undefined;
  private bornMs = 0;
  /** Undefined while it boots. */
  private readyMs: number | undefined;
  private deaths = 0;
  private restarts = 0;
  private port: number | undefined;
  private lastExit: string | undefined;
  private ended = false;
  private readonly children = new ReportedChildren();

  constructor(
    readonly spec: ServiceSpec,
    private readonly keeping: Keeping,
  ) {
    this.port = spec.port;
    this.ready = this.firstReady.passed;
  }

  start(): void {
    if (this.ended) return;
    this.state = 'starting';
    this.startedAt = new Date();
    this.bornMs = performance.now();
    this.readyMs = undefined;
    try {
      this.watch(launch(this.spec, this.keeping.logFile, this.keeping.variables));
    } catch (error) {
      this.died(messageOf(error));
    }
  }

  /** SIGTERM, a bounded wait, SIGKILL; nothing of the service or of the processes it reported is left after it. */
  async stop(graceMs: number): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    const { child, identity } = this;
    if (child !== undefined && identity !== undefined) {
      this.state = 'stopping';
      signal(identity.pid, 'SIGTERM');
      const giveUp = new AbortController();
      await Promise.race([
        this.exited.passed,
        wait(graceMs, undefined, { signal: giveUp.signal }).catch(() => undefined),
      ]);
      giveUp.abort();
      if (this.child === child) {
        this.keeping.tell(`${this.spec.name} did not end within ${graceMs / 1000} s and is killed`);
        signal(identity.pid, 'SIGKILL');
      }
      await this.exited.passed;
      killGroup(identity.pid);
    }
    this.children.kill();
    this.state = 'stopped';
  }

  /** Ends its process, which is then started again. */
  restart(why: string): void {
    if (this.identity === undefined || this.state !== 'running') return;
    this.keeping.tell(`${this.spec.name} is killed: ${why}`);
    signal(this.identity.pid, 'SIGKILL');
  }

  /** Where it listens, once it has said so. */
  get listensAt(): number | undefined {
    return this.state === 'running' ? this.port : undefined;
  }

  /** Kills at once, for a person who does not want to wait any longer. */
  kill(): void {
    this.ended = true;
    clearTimeout(this.timer);
    if (this.identity !== undefined) killGroup(this.identity.pid);
  }

  list(): readonly ListedProcess[] {
    const { name } = this.spec;
    return [
      {
        name,
        pid: this.identity?.pid ?? null,
        ...(this.port === undefined ? {} : { port: this.port }),
        state: this.state,
        startedAt: this.startedAt?.toISOString() ?? null,
        restarts: this.restarts,
        ...(this.lastExit === undefined ? {} : { lastExit: this.lastExit }),
      },
      ...this.children.list(),
    ];
  }

  /** What the cluster's record keeps of the process, if there is one now. */
  recorded(): ClusterRecord['services'] {
    if (this.identity === undefined) return [];
    const { name, stopGroup } = this.spec;
    return [{ name, stopGroup, ...this.identity, port: this.port, startedAt: this.startedAt?.toISOString() ?? null }];
  }

  private watch(child: ChildProcess): void {
    const exited = new Gate();
    this.exited = exited;
    child.on('error', (error) => {
      // Without a number it never lived, and no exit will follow.
      if (child.pid !== undefined) return;
      this.died(messageOf(error));
      exited.open();
    });
    if (child.pid === undefined) return;
    this.child = child;
    this.identity = identify(child.pid) ?? { pid: child.pid, born: '' };
    child.on('message', (message) => this.hear(message));
    child.once('exit', (code, by) => {
      this.died(by === null ? `exit code ${code}` : by);
      exited.open();
    });
    this.keeping.onChange();
    if (this.spec.program.kind === 'native') void this.awaitPort(child, this.spec.program.readyPort);
  }

  private hear(message: unknown): void {
    const report = readReport(message);
    if (report?.type === 'ready') this.live(report.port);
    if (report?.type === 'notice') this.keeping.tell(`${this.spec.name}: ${report.sentence}`);
    if (report?.type === 'processes') this.children.replace(report.processes);
  }

  private live(port = this.port): void {
    if (this.state !== 'starting') return;
    this.state = 'running';
    this.readyMs = performance.now();
    this.port = port;
    this.firstReady.open();
    this.keeping.onChange();
  }

  private async awaitPort(child: ChildProcess, port: number): Promise<void> {
    while (this.child === child && this.state === 'starting') {
      if (await answers(port)) return this.live();
      await wait(20);
    }
  }

  private died(how: string): void {
    const now = performance.now();
    const livedMs = now - this.bornMs;
    this.child = undefined;
    this.identity = undefined;
    this.lastExit = how;
    if (this.ended) return;
    this.children.orphan();
    this.deaths = deathsInARow(this.deaths, now - (this.readyMs ?? now), this.keeping.backoff);
    const ms = waitMs(this.deaths, this.keeping.backoff);
    this.state = 'backing-off';
    this.restarts += 1;
    this.timer = setTimeout(() => this.start(), ms);
    this.keeping.tell(`${this.spec.name} ended (${how}) and is started again in ${ms} ms`, {
      service: this.spec.name,
      livedMs: Math.round(livedMs),
      lastLines: lastLines(this.keeping.logFile, LINES_TO_QUOTE),
    });
    this.keeping.onChange();
  }
}
