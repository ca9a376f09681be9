import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { messageOf } from '#platform';
import { Obstacle } from '../errors.js';
import type { Backoff } from './backoff.js';
import { endAll, lives } from './born.js';
import { type ClusterRecord, ourselves, readRecord, removeRecord, writeRecord } from './cluster-record.js';
import { serveControl } from './control.js';
import type { DataFolder } from './data-folder.js';
import { FolderLock } from './folder-lock.js';
import { Gate } from './gate.js';
import type { Tell } from './kept-service.js';
import type { ListedProcess } from './listed-process.js';
import { appendLine } from './log-file.js';
import { LOOPBACK, requirePort } from './ports.js';
import type { ServiceSpec } from './service-spec.js';
import { Supervisor } from './supervisor.js';

/** How long the services of one stop group may take to end before they are killed. */
export const GRACE_MS = 10_000;

export interface ClusterPlan {
  readonly data: DataFolder;
  /** Where the gateway listens. */
  readonly port: number;
  /** Asked for once the folder is ours and whoever was left on it is gone. */
  readonly services: () => Promise<readonly ServiceSpec[]>;
  readonly variables: NodeJS.ProcessEnv;
  readonly backoff: Backoff;
  readonly graceMs: number;
  readonly say: (sentence: string) => void;
}

/**
 * A cluster on one data folder, from its lock to its last process.
 * 1. Nothing is started before the folder's lock is ours. 2. The record names every service from the moment it lives.
 * 3. Services outlive the supervisor; who takes the lock next ends those that the record names, and only those.
 * 4. After `stop` there is no process, no record and no lock.
 */
export class LocalCluster {
  /** Resolves when the cluster has stopped. */
  readonly stopped: Promise<void>;
  private stopping = false;
  private readonly end = new Gate();

  private constructor(
    readonly record: Omit<ClusterRecord, 'services'>,
    private readonly parts: { lock: FolderLock; supervisor: Supervisor; control: Server; plan: ClusterPlan },
  ) {
    this.stopped = this.end.passed;
  }

  /** @throws Obstacle with one sentence for everything that a person can put right. */
  static async open(plan: ClusterPlan): Promise<LocalCluster> {
    plan.data.prepare();
    const lock = FolderLock.take(plan.data.lockFile());
    if (lock === undefined) throw alreadyRuns(plan.data);
    try {
      await endOrphans(plan.data, plan.graceMs, plan.say);
      await requirePort(plan.port);
      plan.data.apiKey();
      return await LocalCluster.build(plan, lock, await plan.services());
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private static async build(
    plan: ClusterPlan,
    lock: FolderLock,
    specs: readonly ServiceSpec[],
  ): Promise<LocalCluster> {
    const token = randomBytes(32).toString('base64url');
    const tell: Tell = (sentence, facts = {}) => {
      appendLine(plan.data.logOf('supervisor'), { time: new Date().toISOString(), message: sentence, ...facts });
      plan.say(sentence);
    };
    const supervisor = new Supervisor(specs, { ...plan, tell, onChange: () => cluster.save() });
    const { server, port } = await serveControl(token, {
      list: () => cluster.list(),
      stop: () => void cluster.stop(),
    });
    const cluster: LocalCluster = new LocalCluster(
      {
        supervisor: ourselves(),
        startedAt: new Date().toISOString(),
        url: `http://${LOOPBACK}:${plan.port}`,
        control: { port, token },
      },
      { lock, supervisor, control: server, plan },
    );
    writeRecord(plan.data, { ...cluster.record, services: [] });
    return cluster;
  }

  /** Starts the services; resolves when each has been ready once. */
  start(): Promise<void> {
    return this.parts.supervisor.start();
  }

  missing(): readonly string[] {
    return this.parts.supervisor.missing();
  }

  list(): readonly ListedProcess[] {
    const { supervisor, startedAt } = this.record;
    const state = this.stopping ? 'stopping' : 'running';
    return [{ name: 'supervisor', pid: supervisor.pid, state, startedAt }, ...this.parts.supervisor.list()];
  }

  async stop(): Promise<void> {
    if (this.stopping) return this.stopped;
    this.stopping = true;
    const { supervisor, control, lock, plan } = this.parts;
    await supervisor.stop();
    control.close();
    removeRecord(plan.data);
    lock.release();
    this.end.open();
  }

  kill(): void {
    this.parts.supervisor.kill();
  }

  /** Rewrites the record; a full disk must not end a cluster that works. */
  private save(): void {
    const { supervisor, plan } = this.parts;
    try {
      writeRecord(plan.data, {
        ...this.record,
        services: supervisor.services.flatMap((service) => service.recorded()),
      });
    } catch (error) {
      plan.say(messageOf(error));
    }
  }
}

/** Ends what a cluster left on the folder whose supervisor died; the caller holds the folder's lock. */
export async function endOrphans(data: DataFolder, graceMs: number, say: (sentence: string) => void): Promise<void> {
  const left = (readRecord(data)?.services ?? []).filter(lives);
  if (left.length > 0) {
    say(
      `The last cluster on ${data.path} was not stopped; ending what it left: ${left.map(({ name }) => name).join(', ')}`,
    );
  }
  for (const group of [...new Set(left.map(({ stopGroup }) => stopGroup))].toSorted((a, b) => a - b)) {
    await endAll(
      left.filter(({ stopGroup }) => stopGroup === group),
      graceMs,
    );
  }
  removeRecord(data);
}

function alreadyRuns(data: DataFolder): Obstacle {
  const record = readRecord(data);
  const where = record === undefined ? '' : ` at ${record.url} (process ${record.supervisor.pid})`;
  return new Obstacle(
    `A cluster runs on ${data.path} already${where}: use it, stop it with \`npx baton down --data ${data.path}\`, or start another with --data DIR --port N.`,
  );
}
