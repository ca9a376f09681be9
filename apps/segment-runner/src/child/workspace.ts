import type { z } from 'zod';
import { type Bus, RemoteProblem } from '#bus';
import {
  type CallState,
  CheckCall,
  DiscoverTools,
  type Discovery,
  millisOf,
  OpenWorkspace,
  ProbeCall,
  RunCall,
  StopCall,
  workspaceSubject,
} from '#contracts';
import { effectPolicyOf, type OpenCall, type Run, shownBytes } from '#domain';
import { systemClock } from '#platform';
import { askAgain } from './ask-again.js';
import type { SegmentLog } from './segment-log.js';

/**
 * How long one request waits for the end of a call before it is asked again, in milliseconds: about as long as the call
 * has taken so far. An answer that is lost without a word costs no more than that, and few ask often.
 */
const SHORTEST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 10_000;
/** How much later than it was asked to an answer may come, in milliseconds. */
const LATE_MS = 3_000;
const STOP_MS = 5_000;
/** How long MCP servers, or a probe, may take to answer, in milliseconds. */
const DISCOVER_MS = 60_000;

/** The run's workspace, as its segment sees it. Requests are repeated until they are answered: the journal makes that harmless. */
export class Workspace {
  private holder: string | undefined;

  constructor(
    private readonly bus: Pick<Bus, 'ask' | 'listen'>,
    private readonly segmentLog: SegmentLog,
  ) {}

  /**
   * Runs a call, or finds how far it is: a call that the journal knows is never started again (law 5).
   * @returns how it ended; `running` when the signal ended the waiting
   * @throws RemoteProblem when the workspace refuses (fenced, lost, no sandbox)
   */
  async run(call: OpenCall, signal: AbortSignal): Promise<CallState> {
    const { caps } = this.state;
    const request = {
      ...this.asker,
      ...callOf(call),
      tool: call.tool,
      input: call.input,
      effect: effectPolicyOf(this.state, call.tool).effect,
      limitMs: caps.toolSeconds * 1_000,
      outputBytes: shownBytes(this.state),
    };
    let state: CallState = { state: 'running', startedAt: call.startedAt ?? this.state.since };
    while (state.state === 'running' && !signal.aborted) {
      const waitMs = waitFor(state.startedAt);
      try {
        state = await this.request(RunCall, { ...request, waitMs }, waitMs + LATE_MS, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
    return state;
  }

  /** What is wrong with the input of a call that was not started, as far as the workspace can tell. */
  async check({ tool, input }: OpenCall, signal: AbortSignal): Promise<string | undefined> {
    return (await this.request(CheckCall, { ...this.asker, tool, input }, DISCOVER_MS, signal)).fault;
  }

  /** Stops a call that was started and says how it ended. */
  stop(call: OpenCall, because: 'cancelled' | 'timed-out', signal: AbortSignal): Promise<CallState> {
    return this.request(StopCall, { ...this.asker, ...callOf(call), because }, STOP_MS, signal);
  }

  /** What MCP servers say of their tools; one that cannot be reached is told as such. */
  async discover(servers: readonly string[], signal: AbortSignal): Promise<readonly Discovery[]> {
    const { discoveries } = await this.request(DiscoverTools, { ...this.asker, servers }, DISCOVER_MS, signal);
    return discoveries;
  }

  /** Asks the world whether a call in doubt took effect. */
  probe({ callId, tool, input }: OpenCall, signal: AbortSignal): Promise<z.infer<typeof ProbeCall.answer>> {
    return this.request(ProbeCall, { ...this.asker, callId, tool, input }, DISCOVER_MS, signal);
  }

  private get state(): Run {
    return this.segmentLog.history.run;
  }

  private get asker() {
    return { runId: this.segmentLog.runId, segment: this.segmentLog.segment };
  }

  private request<Answer extends z.ZodType>(
    { verb, answer }: { readonly verb: string; readonly answer: Answer },
    body: object,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<z.infer<Answer>> {
    const ask = async (): Promise<z.infer<Answer>> => {
      const holder = (this.holder ??= await this.open());
      try {
        return await this.bus.ask(workspaceSubject(holder, verb), body, answer, { timeoutMs });
      } catch (error) {
        if (error instanceof RemoteProblem && error.code === 'workspace-not-open') this.holder = undefined;
        throw error;
      }
    };
    return askAgain(this.bus, () => ({ ask, holder: this.holder ?? '*' }), signal);
  }

  private async open(): Promise<string> {
    const { agent } = this.state;
    const { workspace: spec, http, mcp, secrets } = agent.spec;
    const body = { ...this.asker, spec, files: agent.files, external: { http, mcp, secrets } };
    return (await this.bus.ask(OpenWorkspace.subject, body, OpenWorkspace.answer, { timeoutMs: 60_000 })).holder;
  }
}

const callOf = ({ callId, attempts = 1 }: OpenCall) => ({ callId, ...(attempts > 1 ? { attempt: attempts } : {}) });

const waitFor = (startedAt: string): number =>
  Math.min(Math.max(systemClock.now() - millisOf(startedAt), SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
