import type { z } from 'zod';
import { AnswerTimedOut, type Bus, NoResponders, RemoteProblem } from '#bus';
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
import { type Clock, Unavailable } from '#platform';
import type { SegmentLog } from './segment-log.js';

/** How long one request waits for the end of a call before it is asked again, in milliseconds. */
const WAIT_MS = 10_000;
const ANSWER_MS = 5_000;
const PAUSE_MS = 200;
/** A call that is past its limit is given up when nobody has answered for this long, in milliseconds. */
const UNANSWERED_MS = 60_000;
/** How long MCP servers, or a probe, may take to answer, in milliseconds. */
const DISCOVER_MS = 60_000;

/** How long a request is repeated. */
interface Within {
  /** For one answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether it is to be given up when nobody answers; never when absent. */
  readonly isOver?: () => boolean;
}

class Unanswered extends Error {
  override readonly message =
    `The workspace has not answered for ${UNANSWERED_MS / 1_000} s, and the call is past its limit.`;
}

/** The run's workspace, as its segment sees it. Requests are repeated until they are answered: the journal makes that harmless. */
export class Workspace {
  private holder: string | undefined;

  constructor(
    private readonly bus: Pick<Bus, 'ask'>,
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
    const request = {
      ...this.asker,
      ...callOf(call),
      tool: call.tool,
      input: call.input,
      effect: effectPolicyOf(this.state, call.tool).effect,
      limitMs: caps.toolSeconds * 1_000,
      outputBytes: shownBytes(this.state),
    };
    const startedAt = call.startedAt ?? this.state.since;
    const limitAt = millisOf(startedAt) + request.limitMs;
    const within = { timeoutMs: WAIT_MS + ANSWER_MS, signal, isOver: () => this.clock.now() >= limitAt };
    let state: CallState = { state: 'running', startedAt };
    while (state.state === 'running' && !signal.aborted) {
      state = await untilAborted(signal, state, () =>
        this.request(RunCall, { ...request, waitMs: WAIT_MS }, within).catch((error: unknown) => {
          if (error instanceof Unanswered) return { state: 'unknown', startedAt, reason: error.message };
          throw error;
        }),
      );
    }
    return state;
  }

  /** What is wrong with the input of a call that was not started, as far as the workspace can tell. */
  async check({ tool, input }: OpenCall, signal: AbortSignal): Promise<string | undefined> {
    const within = { timeoutMs: DISCOVER_MS, signal };
    return (await this.request(CheckCall, { ...this.asker, tool, input }, within)).fault;
  }

  /** Stops a call that was started and says how it ended. */
  stop(call: OpenCall, because: 'cancelled' | 'timed-out', signal: AbortSignal): Promise<CallState> {
    return this.request(StopCall, { ...this.asker, ...callOf(call), because }, { timeoutMs: ANSWER_MS, signal });
  }

  /** What MCP servers say of their tools; one that cannot be reached is told as such. */
  async discover(servers: readonly string[], signal: AbortSignal): Promise<readonly Discovery[]> {
    const { discoveries } = await this.request(
      DiscoverTools,
      { ...this.asker, servers },
      { timeoutMs: DISCOVER_MS, signal },
    );
    return discoveries;
  }

  /** Asks the world whether a call in doubt took effect; unknown when nobody has answered for a minute. */
  async probe({ callId, tool, input }: OpenCall, signal: AbortSignal): Promise<z.infer<typeof ProbeCall.answer>> {
    const within = { timeoutMs: DISCOVER_MS, signal, isOver: () => true };
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

  private async request<Answer extends z.ZodType>(
    { verb, answer }: { readonly verb: string; readonly answer: Answer },
    body: object,
    { timeoutMs, signal, isOver = () => false }: Within,
  ): Promise<z.infer<Answer>> {
    let askedSince = this.clock.monotonic();
    for (;;) {
      try {
        const holder = (this.holder ??= await this.open());
        return await this.bus.ask(workspaceSubject(holder, verb), body, answer, { timeoutMs });
      } catch (error) {
        if (!isPassing(error) || signal.aborted) throw error;
        if (error instanceof RemoteProblem && error.code === 'workspace-not-open') this.holder = undefined;
        if (!isUnanswered(error)) askedSince = this.clock.monotonic();
        if (this.clock.monotonic() - askedSince >= UNANSWERED_MS && isOver()) throw new Unanswered();
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  private async open(): Promise<string> {
    const { agent } = this.state;
    const { workspace: spec, http, mcp, secrets } = agent.spec;
    const body = { ...this.asker, spec, files: agent.files, external: { http, mcp, secrets } };
    return (await this.bus.ask(OpenWorkspace.subject, body, OpenWorkspace.answer, { timeoutMs: 60_000 })).holder;
  }
}

const callOf = ({ callId, attempts = 1 }: OpenCall) => ({ callId, ...(attempts > 1 ? { attempt: attempts } : {}) });

/** Nobody has said anything, and the bus could be asked: one that is away says nothing about the workspace. */
const isUnanswered = (error: unknown): boolean => error instanceof NoResponders || error instanceof AnswerTimedOut;

const isPassing = (error: unknown): boolean =>
  isUnanswered(error) ||
  error instanceof Unavailable ||
  (error instanceof RemoteProblem && (error.remedy === 'retry' || error.code === 'workspace-not-open'));

/** The work's answer, or `otherwise` as soon as the signal says so: the call itself goes on in the workspace. */
async function untilAborted<T>(signal: AbortSignal, otherwise: T, work: () => Promise<T>): Promise<T> {
  let leave: () => void = () => undefined;
  const aborted = new Promise<T>((resolve) => {
    leave = () => resolve(otherwise);
    signal.addEventListener('abort', leave, { once: true });
  });
  const working = work();
  working.catch(() => undefined);
  try {
    return await Promise.race([working, aborted]);
  } catch (error) {
    if (signal.aborted) return otherwise;
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
