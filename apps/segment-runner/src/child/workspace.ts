import type { z } from 'zod';
import { AnswerTimedOut, type Bus, NoResponders, RemoteProblem } from '#bus';
import {
  type CallState,
  CheckCall,
  DiscoverTools,
  type Discovery,
  OpenWorkspace,
  ProbeCall,
  RunCall,
  StopCall,
  workspaceSubject,
} from '#contracts';
import { effectPolicyOf, type OpenCall, type Run, shownBytes } from '#domain';
import { Unavailable } from '#platform';
import type { SegmentLog } from './segment-log.js';

/** How long one request waits for the end of a call before it is asked again, in milliseconds. */
const WAIT_MS = 10_000;
const ANSWER_MS = 5_000;
const PAUSE_MS = 200;
/** How long MCP servers, or a probe, may take to answer, in milliseconds. */
const DISCOVER_MS = 60_000;

/** The run's workspace, as its segment sees it. Requests are repeated until they are answered: the journal makes that harmless. */
export class Workspace {
  private holder: string | undefined;

  constructor(
    private readonly bus: Pick<Bus, 'ask'>,
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
      state = await untilAborted(signal, state, () =>
        this.request(RunCall, { ...request, waitMs: WAIT_MS }, WAIT_MS + ANSWER_MS, signal),
      );
    }
    return state;
  }

  /** What is wrong with the input of a call that was not started, as far as the workspace can tell. */
  async check({ tool, input }: OpenCall, signal: AbortSignal): Promise<string | undefined> {
    return (await this.request(CheckCall, { ...this.asker, tool, input }, DISCOVER_MS, signal)).fault;
  }

  /** Stops a call that was started and says how it ended. */
  stop(call: OpenCall, because: 'cancelled' | 'timed-out', signal: AbortSignal): Promise<CallState> {
    return this.request(StopCall, { ...this.asker, ...callOf(call), because }, ANSWER_MS, signal);
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

  private async request<Answer extends z.ZodType>(
    { verb, answer }: { readonly verb: string; readonly answer: Answer },
    body: object,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<z.infer<Answer>> {
    for (;;) {
      try {
        const holder = (this.holder ??= await this.open());
        return await this.bus.ask(workspaceSubject(holder, verb), body, answer, { timeoutMs });
      } catch (error) {
        if (!isPassing(error) || signal.aborted) throw error;
        if (error instanceof RemoteProblem && error.code === 'workspace-not-open') this.holder = undefined;
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

const isPassing = (error: unknown): boolean =>
  error instanceof NoResponders ||
  error instanceof AnswerTimedOut ||
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
