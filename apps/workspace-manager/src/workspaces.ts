import type { z } from 'zod';
import type {
  AskCall,
  CallState,
  OpenWorkspace,
  ReadJournal,
  ReleaseWorkspace,
  RunCall,
  RunId,
  StopCall,
} from '#contracts';
import type { Calls } from './calls.js';
import { Fenced, WorkspaceIsLost, WorkspaceNotOpen } from './errors.js';
import type { HeldWorkspace, Journal } from './journal.js';
import type { Opened, Openings } from './openings.js';

type Request<T extends { readonly request: z.ZodType }> = z.infer<T['request']>;

/** What a workspace-manager does, whatever the requests come by. Every operation is safe to repeat. */
export class Workspaces {
  /** The newest segments seen, ahead of the journal by the commit under way. */
  private readonly newest = new Map<RunId, number>();

  constructor(
    private readonly journal: Journal,
    private readonly openings: Openings,
    private readonly calls: Calls,
  ) {}

  async open(request: Request<typeof OpenWorkspace>): Promise<Opened> {
    this.refuseOlder(request.runId, request.segment);
    return this.openings.open(request);
  }

  async runCall(request: Request<typeof RunCall>): Promise<CallState> {
    const { runId, callId, segment, tool, limitMs, outputBytes, input, waitMs } = request;
    const { spec } = await this.enter(runId, segment);
    return this.calls.run({ start: { runId, callId, segment, tool, limitMs, outputBytes }, input, spec }, waitMs);
  }

  async askCall({ runId, callId, segment, waitMs }: Request<typeof AskCall>): Promise<CallState> {
    await this.enter(runId, segment);
    return this.calls.state({ runId, callId }, waitMs);
  }

  async stopCall({ runId, callId, segment, because }: Request<typeof StopCall>): Promise<CallState> {
    await this.enter(runId, segment);
    return this.calls.stop({ runId, callId }, because);
  }

  readJournal({ runId }: Request<typeof ReadJournal>): z.infer<(typeof ReadJournal)['answer']> {
    const calls = this.journal.callsOf(runId).map((call) => ({
      callId: call.callId,
      tool: call.tool,
      segment: call.segment,
      state: call.state,
      executions: this.calls.executions(call),
      startedAt: new Date(call.startedAt).toISOString(),
    }));
    return { calls };
  }

  /** Ends the run's processes; the files stay, and the workspace can be opened again. */
  async release({ runId, segment }: Request<typeof ReleaseWorkspace>): Promise<{ released: boolean }> {
    this.refuseOlder(runId, segment);
    const held = this.journal.workspace(runId);
    if (held?.state === 'released') return { released: true };
    if (held?.state !== 'open') return { released: false };
    await this.calls.stopAll(runId);
    await this.openings.recordRelease(runId);
    await this.journal.saveWorkspace({ ...held, segment, state: 'released' });
    // A call that came in between is ended too; from here on none is accepted.
    await this.calls.stopAll(runId);
    return { released: true };
  }

  /** The workspace, for a segment that may use it: not an older one than the newest seen, which is durable (law 4). */
  private async enter(runId: RunId, segment: number): Promise<HeldWorkspace> {
    this.refuseOlder(runId, segment);
    const held = this.journal.workspace(runId);
    if (held?.state === 'lost') throw new WorkspaceIsLost(`The files of run ${runId} are lost.`);
    if (held?.state !== 'open') throw new WorkspaceNotOpen(`Run ${runId} has no open workspace here: open it first.`);
    if (segment > held.segment) {
      this.newest.set(runId, segment);
      await this.journal.noteSegment(runId, segment);
    }
    return held;
  }

  private refuseOlder(runId: RunId, segment: number): void {
    const newest = Math.max(this.newest.get(runId) ?? 0, this.journal.workspace(runId)?.segment ?? 0);
    if (segment < newest) throw new Fenced(segment, newest);
  }
}
