import type { z } from 'zod';
import type {
  AskCall,
  CallState,
  CheckCall,
  DiscoverTools,
  OpenWorkspace,
  ProbeCall,
  ReadJournal,
  RunCall,
  RunId,
  StopCall,
} from '#contracts';
import type { Calls } from './calls.js';
import { Fenced, WorkspaceIsLost, WorkspaceNotOpen } from './errors.js';
import type { HeldWorkspace } from './journal/entries.js';
import type { Journal } from './journal/journal.js';
import type { McpServers } from './mcp/servers.js';
import type { Opened, Openings } from './openings.js';
import type { Executor } from './tools/executor.js';
import type { HttpKind } from './tools/http-kind.js';

type Request<T extends { readonly request: z.ZodType }> = z.infer<T['request']>;
type Answer<T extends { readonly answer: z.ZodType }> = z.infer<T['answer']>;

export interface WorkspacesParts {
  readonly journal: Journal;
  readonly openings: Openings;
  readonly calls: Calls;
  readonly servers: McpServers;
  readonly http: HttpKind;
  readonly executor: Executor;
}

/** What a workspace-manager does, whatever the requests come by. Every operation is safe to repeat. */
export class Workspaces {
  /** The newest segments seen, ahead of the journal by the commit under way. */
  private readonly newest = new Map<RunId, number>();

  constructor(private readonly parts: WorkspacesParts) {}

  async open(request: Request<typeof OpenWorkspace>): Promise<Opened> {
    this.refuseOlder(request.runId, request.segment);
    return this.parts.openings.open(request);
  }

  async runCall(request: Request<typeof RunCall>): Promise<CallState> {
    const { input, waitMs, attempt = 1, effect = 'once', ...start } = request;
    const held = await this.enter(request.runId, request.segment);
    return this.parts.calls.run({ start: { ...start, attempt }, input, held, effect }, waitMs);
  }

  async askCall({ runId, callId, attempt = 1, segment, waitMs }: Request<typeof AskCall>): Promise<CallState> {
    await this.enter(runId, segment);
    return this.parts.calls.state({ runId, callId, attempt }, waitMs);
  }

  /** Checks an input that is not to be run yet. */
  async checkCall({ runId, segment, tool, input }: Request<typeof CheckCall>): Promise<Answer<typeof CheckCall>> {
    const held = await this.enter(runId, segment);
    const fault = await this.parts.executor.check(tool, input, held);
    return fault === undefined ? {} : { fault };
  }

  async stopCall({ runId, callId, attempt = 1, segment, because }: Request<typeof StopCall>): Promise<CallState> {
    await this.enter(runId, segment);
    return this.parts.calls.stop({ runId, callId, attempt }, because);
  }

  /** Asks MCP servers for their tools; those that do not answer are told as what they are, within half a minute. */
  async discoverTools({
    runId,
    segment,
    servers,
  }: Request<typeof DiscoverTools>): Promise<Answer<typeof DiscoverTools>> {
    const held = await this.enter(runId, segment);
    return { discoveries: await this.parts.servers.discover(held, servers) };
  }

  /** Asks the world whether a call took effect. */
  async probeCall(request: Request<typeof ProbeCall>): Promise<Answer<typeof ProbeCall>> {
    return this.parts.http.probe(request, await this.enter(request.runId, request.segment));
  }

  readJournal({ runId }: Request<typeof ReadJournal>): Answer<typeof ReadJournal> {
    const calls = this.parts.journal.callsOf(runId).map((call) => ({
      callId: call.callId,
      ...(call.attempt > 1 && { attempt: call.attempt }),
      tool: call.tool,
      segment: call.segment,
      state: call.state,
      executions: this.parts.calls.executions(call),
      startedAt: new Date(call.startedAt).toISOString(),
    }));
    return { calls };
  }

  /** The workspace, for a segment that may use it: not an older one than the newest seen, which is durable (law 4). */
  private async enter(runId: RunId, segment: number): Promise<HeldWorkspace> {
    this.refuseOlder(runId, segment);
    const held = this.parts.journal.workspace(runId);
    if (held?.state === 'lost') throw new WorkspaceIsLost(`The files of run ${runId} are lost.`);
    if (held?.state !== 'open') throw new WorkspaceNotOpen(`Run ${runId} has no open workspace here: open it first.`);
    if (segment > held.segment) {
      this.newest.set(runId, segment);
      await this.parts.journal.noteSegment(runId, segment);
      if (this.newest.get(runId) === segment) this.newest.delete(runId);
    }
    return held;
  }

  private refuseOlder(runId: RunId, segment: number): void {
    const newest = Math.max(this.newest.get(runId) ?? 0, this.parts.journal.workspace(runId)?.segment ?? 0);
    if (segment < newest) throw new Fenced(segment, newest);
  }
}
