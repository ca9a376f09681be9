import type { z } from 'zod';
import { AnswerTimedOut, type Bus, RemoteProblem } from '#bus';
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
import type { Clock } from '#platform';
import { askAgain, type Patience, Unanswered } from './ask-again.js';
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
/**
 * How long one answer is waited for at first, in milliseconds, and at most: whether it is lost or takes its time nobody
 * knows, so the next is waited for twice as long. What is asked in this way changes nothing when it is asked again.
 */
const FIRST_ANSWER_MS = 5_000;
/** An MCP server may take its time to start; see HELLO_MS of the manager. */
const FIRST_DISCOVERY_MS = 15_000;
const LONGEST_ANSWER_MS = 60_000;

interface Within extends Patience {
  /** For one answer. */
  readonly timeoutMs: number;
  /** For one answer, after others did not come; the same when absent. */
  readonly mostMs?: number;
}

/** The run's workspace, as its segment sees it. Requests are repeated until they are answered: the journal makes that harmless. */
export class Workspace {
  private holder: string | undefined;

  constructor(
    private readonly bus: Pick<Bus, 'ask' | 'listen'>,
    private readonly segmentLog: Pick<SegmentLog, 'history' | 'runId' | 'segment'>,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs a call, or finds how far it is: a call that the journal knows is never started again (law 5).
   * @returns how it ended; `running` when the signal ended the waiting; `unknown` when it is past its limit and nobody
   *   has answered for a minute
   * @throws RemoteProblem when the workspace refuses (fenced, lost, no sandbox)
   */
  async run(call: OpenCall, signal: AbortSignal): Promise<CallState> {
    const { caps } = this.state;
    const { runId, segment } = this.asker;
    const request = {
      runId,
      segment,
      ...callOf(call),
      tool: call.tool,
      input: call.input,
      effect: effectPolicyOf(this.state, call.tool).effect,
      limitMs: caps.toolSeconds * 1_000,
      outputBytes: shownBytes(this.state),
    };
    const startedAt = call.startedAt ?? this.state.since;
    const limitAt = millisOf(startedAt) + request.limitMs;
    const isOver = (): boolean => this.clock.now() >= limitAt;
    let state: CallState = { state: 'running', startedAt };
    while (state.state === 'running' && !signal.aborted) {
      const waitMs = this.waitFor(state.startedAt);
      try {
        const within = { timeoutMs: waitMs + LATE_MS, signal, isOver };
        state = await this.request(RunCall, { waitMs, ...request }, within);
      } catch (error) {
        if (error instanceof Unanswered) return { state: 'unknown', startedAt, reason: error.message };
        if (!signal.aborted) throw error;
      }
    }
    return state;
  }

  /** What is wrong with the input of a call that was not started, as far as the workspace can tell. */
  async check({ tool, input }: OpenCall, signal: AbortSignal): Promise<string | undefined> {
    const within = { timeoutMs: FIRST_ANSWER_MS, mostMs: LONGEST_ANSWER_MS, signal };
    return (await this.request(CheckCall, { ...this.asker, tool, input }, within)).fault;
  }

  /** Stops a call that was started and says how it ended. */
  stop(call: OpenCall, because: 'cancelled' | 'timed-out', signal: AbortSignal): Promise<CallState> {
    return this.request(StopCall, { ...this.asker, ...callOf(call), because }, { timeoutMs: STOP_MS, signal });
  }

  /** What MCP servers say of their tools; one that cannot be reached is told as such. */
  async discover(servers: readonly string[], signal: AbortSignal): Promise<readonly Discovery[]> {
    const { discoveries } = await this.request(
      DiscoverTools,
      { ...this.asker, servers },
      { timeoutMs: FIRST_DISCOVERY_MS, mostMs: LONGEST_ANSWER_MS, signal },
    );
    return discoveries;
  }

  /** Asks the world whether a call in doubt took effect; unknown when nobody has answered for a minute. */
  async probe({ callId, tool, input }: OpenCall, signal: AbortSignal): Promise<z.infer<typeof ProbeCall.answer>> {
    const within = { timeoutMs: FIRST_ANSWER_MS, mostMs: LONGEST_ANSWER_MS, signal, isOver: () => true };
    try {
      return await this.request(ProbeCall, { ...this.asker, callId, tool, input }, within);
    } catch (error) {
      if (error instanceof Unanswered) return { found: 'unknown', reason: error.message };
      throw error;
    }
  }

  private get state(): Run {
    return this.segmentLog.history.run;
  }

  private get asker() {
    return { runId: this.segmentLog.runId, segment: this.segmentLog.segment };
  }

  private waitFor(startedAt: string): number {
    return Math.min(Math.max(this.clock.now() - millisOf(startedAt), SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
  }

  private request<Answer extends z.ZodType>(
    { verb, answer }: { readonly verb: string; readonly answer: Answer },
    body: object,
    { timeoutMs, mostMs = timeoutMs, ...within }: Within,
  ): Promise<z.infer<Answer>> {
    const opening = growing(FIRST_ANSWER_MS, LONGEST_ANSWER_MS);
    const answering = growing(timeoutMs, mostMs);
    const ask = async (): Promise<z.infer<Answer>> => {
      const holder = (this.holder ??= await opening((waitMs) => this.open(waitMs)));
      try {
        const subject = workspaceSubject(holder, verb);
        return await answering((waitMs) => this.bus.ask(subject, body, answer, { timeoutMs: waitMs }));
      } catch (error) {
        if (error instanceof RemoteProblem && error.code === 'workspace-not-open') this.holder = undefined;
        throw error;
      }
    };
    return askAgain({ bus: this.bus, clock: this.clock }, () => ({ ask, holder: this.holder ?? '*' }), within);
  }

  private async open(timeoutMs: number): Promise<string> {
    const { agent } = this.state;
    const { workspace: spec, http, mcp, secrets } = agent.spec;
    const body = { ...this.asker, spec, files: agent.files, external: { http, mcp, secrets } };
    return (await this.bus.ask(OpenWorkspace.subject, body, OpenWorkspace.answer, { timeoutMs })).holder;
  }
}

/** Asks with a patience that doubles when an answer does not come. */
function growing(firstMs: number, mostMs: number) {
  let nextMs = firstMs;
  return async <T>(ask: (waitMs: number) => Promise<T>): Promise<T> => {
    try {
      return await ask(nextMs);
    } catch (error) {
      if (error instanceof AnswerTimedOut) nextMs = Math.min(2 * nextMs, mostMs);
      throw error;
    }
  };
}

const callOf = ({ callId, attempts = 1 }: OpenCall) => ({ callId, ...(attempts > 1 ? { attempt: attempts } : {}) });
