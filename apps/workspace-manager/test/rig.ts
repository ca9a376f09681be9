import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallId, type CallState, RunId, type SeedFile, type WorkspaceSpec } from '#contracts';
import { Blobs } from '#log';
import { newId, sha256, silentLogger, systemClock } from '#platform';
import { assemble, type WorkspaceManager } from '../src/assembly.js';
import { ControlGroups } from '../src/control-groups.js';
import { FileEventLog } from './file-event-log.js';

export const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

export const aSpec = (over: Partial<WorkspaceSpec> = {}): WorkspaceSpec => ({
  network: false,
  memoryMb: 256,
  processes: 64,
  ...over,
});

/** A folder that goes away with the test, and managers on it. */
export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'baton-workspaces-'));
  readonly log = new FileEventLog(join(this.folder, 'log.jsonl'));
  private readonly managers: WorkspaceManager[] = [];

  async manager(data = 'data', over: { allowUnsandboxed?: boolean; path?: string } = {}): Promise<WorkspaceManager> {
    const manager = await assemble({
      data: join(this.folder, data),
      allowUnsandboxed: false,
      path: PATH,
      log: this.log,
      clock: systemClock,
      logger: silentLogger,
      ...over,
    });
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

  files(runId: RunId, data = 'data'): string {
    return join(this.folder, data, 'workspaces', runId, 'files');
  }

  close(): void {
    for (const manager of this.managers.splice(0)) manager.close();
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

  async open(spec = aSpec(), files: SeedFile[] = []): Promise<this> {
    await this.manager.workspaces.open({ runId: this.runId, segment: this.segment, spec, files });
    return this;
  }

  nextId(): CallId {
    this.calls += 1;
    return CallId.parse(`${this.calls}-0`);
  }

  call(tool: string, input: Record<string, string | number>, over: Partial<CallOptions> = {}): Promise<CallState> {
    const {
      callId = this.nextId(),
      segment = this.segment,
      limitMs = 60_000,
      outputBytes = 30_000,
      waitMs = 60_000,
    } = over;
    const { runId } = this;
    return this.manager.workspaces.runCall({ runId, segment, callId, tool, input, limitMs, outputBytes, waitMs });
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
}

/** Whether a test must be left out on this machine; says so. */
export function lacks(there: boolean, what: string): boolean {
  if (!there) process.stderr.write(`left out: this machine has no ${what}\n`);
  return !there;
}

/** The outcome and text of a call that must have finished. */
export function finished(state: CallState): { outcome: string; text: string } {
  if (state.state !== 'finished') throw new Error(`the call is ${JSON.stringify(state)}`);
  return { outcome: state.outcome, text: state.content.map((block) => block.text).join('') };
}
