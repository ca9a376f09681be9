import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { type AgentSpec, RunId } from '#contracts';
import { connectLog, type EventLog } from '#log';
import { newId } from '#platform';
import { builtApp } from '../../apps/cli/src/cluster/checkout.js';
import { readRecord } from '../../apps/cli/src/cluster/cluster-record.js';
import { askProcesses } from '../../apps/cli/src/cluster/control.js';
import { DataFolder } from '../../apps/cli/src/cluster/data-folder.js';
import type { ListedProcess } from '../../apps/cli/src/cluster/listed-process.js';
import { inherited } from './config.js';

const Ports = z.object({ 'event-store': z.int(), nats: z.int(), 'model-simulator': z.int() });
const Started = z.object({ id: RunId });

export interface ClusterWishes {
  /** How many segments the one runner works on at the same time; Baton's own default when absent. */
  readonly pool?: number;
}

interface Place extends ClusterWishes {
  readonly folder: string;
  readonly port: number;
}

const LOOK_AGAIN_MS = 50;

/** A cluster as `baton up` starts it, on a temporary folder, with the embedded event store as it is by default. */
export class BenchCluster {
  readonly log: EventLog;

  private constructor(
    readonly folder: string,
    private readonly place: Place,
    private up: ChildProcess,
    readonly ports: z.output<typeof Ports>,
  ) {
    this.log = connectLog(`esdb://127.0.0.1:${ports['event-store']}?tls=false`);
  }

  /** Resolves when every service is ready and the pool's children are too. */
  static async start(wishes: ClusterWishes = {}, folder = temporaryFolder()): Promise<BenchCluster> {
    const place = { ...wishes, folder, port: await freePort() };
    const up = await switchOn(place);
    const ports = Ports.parse(JSON.parse(readFileSync(join(folder, 'ports.json'), 'utf8')));
    const cluster = new BenchCluster(folder, place, up, ports);
    await cluster.childrenAreReady();
    return cluster;
  }

  /** Where the gateway answers. */
  get url(): string {
    return `http://127.0.0.1:${this.place.port}`;
  }

  get key(): string {
    return readFileSync(join(this.folder, 'api-key'), 'utf8').trim();
  }

  /** After everything was killed: the same cluster on the same folder. Resolves when every service is ready. */
  async again(): Promise<void> {
    this.up = await switchOn(this.place);
  }

  /** Stores the agent and answers with its name. */
  async apply(spec: z.input<typeof AgentSpec>): Promise<string> {
    await this.post('/v1/agents', { spec });
    return spec.name;
  }

  /** Starts a run with so many items; the items have no content. */
  async run(agent: string, items: number): Promise<RunId> {
    const body = { agent, items: Array.from({ length: items }, (_, place) => ({ id: `i${place}`, input: null })) };
    return Started.parse(await this.post('/v1/runs', body)).id;
  }

  async cancel(run: RunId): Promise<void> {
    await this.post(`/v1/runs/${run}/cancel`, {});
  }

  /** What `baton ps` shows; asked directly, since a measurement asks often. @throws Unavailable */
  async processes(): Promise<readonly ListedProcess[]> {
    const record = readRecord(new DataFolder(this.folder));
    return record ? askProcesses(record) : [];
  }

  /** Does the work while these services stand still. */
  async whileStopped(names: readonly string[], work: () => Promise<void>): Promise<void> {
    const pids = (await this.processes()).flatMap(({ name, pid }) => (names.includes(name) && pid ? [pid] : []));
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      await work();
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
  }

  /** Every service and the pool's children, so that what follows does not compete with their start. */
  async childrenAreReady(): Promise<void> {
    for (;;) {
      const processes = await this.processes();
      const children = processes.filter(({ name }) => name === 'segment');
      const begun = processes.every(({ state }) => state !== 'starting' && state !== 'backing-off');
      if (children.length > 0 && begun) return;
      await pause(LOOK_AGAIN_MS);
    }
  }

  /** Stops every process and removes the folder. */
  async stop(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Stops every process; the folder stays. */
  async down(): Promise<void> {
    await this.log.close();
    const ended = once(this.up, 'exit');
    if (this.up.exitCode === null && this.up.signalCode === null) {
      this.up.kill('SIGTERM');
      await ended;
    }
  }

  private async post(path: string, body: object): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json', 'idempotency-key': newId() },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  }
}

/** `baton up` on the folder, with a sandbox where there can be one. Resolves when every service is ready. */
async function switchOn({ folder, port, pool }: Place): Promise<ChildProcess> {
  const sandbox = spawnSync('bwrap', ['--ro-bind', '/', '/', 'true']).status === 0;
  const env = {
    ...inherited(),
    ...(pool === undefined ? {} : { BATON_POOL_SIZE: String(pool) }),
    ...(sandbox ? {} : { BATON_ALLOW_UNSANDBOXED: '1' }),
  };
  const up = spawn(process.execPath, [builtApp('cli'), 'up', '--data', folder, '--port', String(port)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  await saysUp(up);
  return up;
}

const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'baton-bench-'));

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

function saysUp(up: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    up.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Baton is up')) resolve();
    });
    up.once('exit', () => reject(new Error(`The cluster did not come up. ${said}`)));
  });
}
