import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CallId,
  type CallState,
  type ExternalTools,
  type Json,
  RunId,
  type SeedFile,
  streams,
  type ToolEffect,
  type WorkspaceSpec,
} from '#contracts';
import { Blobs } from '#log';
import { newId, sha256, silentLogger, systemClock } from '#platform';
import { type AssemblyParts, assemble, type WorkspaceManager } from '../src/assembly.js';
import { ControlGroups } from '../src/control-groups.js';
import { systemResolve } from '../src/network/request.js';
import { FileEventLog } from './file-event-log.js';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The program that keeps secrets out of outputs, from its source. */
const FILTER = [process.execPath, '--import', here('ts-run.mjs'), here('../src/secrets/redact-stream.ts')];

export const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

export const aSpec = (over: Partial<WorkspaceSpec> = {}): WorkspaceSpec => ({
  network: false,
  memoryMb: 256,
  processes: 64,
  diskMb: 256,
  env: {},
  ...over,
});

/** What a manager in a test is made of, below a folder. */
export const someParts = (folder: string, data = 'data'): AssemblyParts => ({
  data: join(folder, data),
  allowUnsandboxed: false,
  path: PATH,
  secrets: { variables: new Map(), folder: join(folder, 'secrets') },
  filter: FILTER,
  resolve: systemResolve,
  log: new FileEventLog(join(folder, 'log.jsonl')),
  clock: systemClock,
  logger: silentLogger,
  keepMs: 86_400_000,
  restMs: 900_000,
  writeBytesPerSecond: Number.MAX_SAFE_INTEGER,
  onServerLost: () => undefined,
});

/** A folder that goes away with the test, and managers on it. */
export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'baton-workspaces-'));
  readonly log = new FileEventLog(join(this.folder, 'log.jsonl'));
  private readonly managers: WorkspaceManager[] = [];

  async manager(data = 'data', over: Partial<AssemblyParts> = {}): Promise<WorkspaceManager> {
    const manager = await assemble({ ...someParts(this.folder, data), log: this.log, ...over });
    this.managers.push(manager);
    return manager;
  }

  /** Stores the files and answers how a request to open a workspace names them. */
  async seed(files: Readonly<Record<string, string>>): Promise<SeedFile[]> {
    const blobs = new Blobs(this.log);
    return Promise.all(
      Object.entries(files).map(async ([path, content]) => {
        await blobs.put(Buffer.from(content), 'text/plain');
        return { path, digest: sha256(content), bytes: Buffer.byteLength(content), executable: path.endsWith('.sh') };
      }),
    );
  }

  /** Records that the run has ended, as far as a manager sees it. */
  async ended(runId: RunId): Promise<void> {
    const metadata = { tenant: 'default', correlationId: runId };
    await this.log.append(streams.run(runId), [{ id: newId(), type: 'RunCompleted', data: {}, metadata }], 'any');
  }

  files(runId: RunId, data = 'data'): string {
    return join(this.folder, data, 'workspaces', runId, 'files');
  }

  async stop(manager: WorkspaceManager): Promise<void> {
    this.managers.splice(this.managers.indexOf(manager), 1);
    await manager.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.managers.splice(0).map((manager) => manager.close()));
    const holder = join(this.folder, 'data', 'workspaces', 'holder');
    // A killed manager has left its control group.
    if (existsSync(holder)) ControlGroups.find(`baton-${readFileSync(holder, 'utf8').trim()}`)?.leave();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const aRun = (): RunId => RunId.parse(newId());

/** A run's open workspace, with the few words that most tests need. */
export class Bench {
  private calls = 0;
  segment = 1;

  constructor(
    readonly manager: WorkspaceManager,
    readonly runId: RunId = aRun(),
  ) {}

  async open(spec = aSpec(), files: SeedFile[] = [], external?: ExternalTools): Promise<this> {
    await this.manager.workspaces.open({ runId: this.runId, segment: this.segment, spec, files, external });
    return this;
  }

  nextId(): CallId {
    this.calls += 1;
    return CallId.parse(`${this.calls}-0`);
  }

  call(tool: string, input: Record<string, Json>, over: Partial<CallOptions> = {}): Promise<CallState> {
    const {
      callId = this.nextId(),
      segment = this.segment,
      limitMs = 60_000,
      outputBytes = 30_000,
      waitMs = 60_000,
      attempt,
      effect,
    } = over;
    const request = { runId: this.runId, segment, callId, attempt, tool, input, effect, limitMs, outputBytes, waitMs };
    return this.manager.workspaces.runCall(request);
  }

  bash(command: string, over: Partial<CallOptions> = {}): Promise<CallState> {
    return this.call('bash', { command }, over);
  }
}

export interface CallOptions {
  readonly callId: CallId;
  readonly segment: number;
  readonly limitMs: number;
  readonly outputBytes: number;
  readonly waitMs: number;
  readonly attempt: number | undefined;
  readonly effect: ToolEffect;
}

/** Whether a test must be left out on this machine; says so. */
export function lacks(there: boolean, what: string): boolean {
  if (!there) process.stderr.write(`left out: this machine has no ${what}\n`);
  return !there;
}

/** The outcome and text of a call that must have finished. */
export function finished(state: CallState): { outcome: string; text: string } {
  if (state.state !== 'finished') throw new Error(`the call is ${JSON.stringify(state)}`);
  return { outcome: state.outcome, text: state.content.map((block) => ('text' in block ? block.text : '')).join('') };
}
