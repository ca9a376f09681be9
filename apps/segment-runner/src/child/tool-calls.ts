import { type CallState, type Moment, momentOf } from '#contracts';
import {
  type Checked,
  callsToCheck,
  canonical,
  carrierOf,
  hasProbe,
  interruptedCalls,
  type OpenCall,
  openingEvents,
  type SegmentEvent,
  serverOf,
} from '#domain';
import { type Clock, messageOf, sha256 } from '#platform';
import { resultEvents, stoppedEvents } from './call-results.js';
import type { Pulse } from './pulse.js';
import type { SegmentLog } from './segment-log.js';
import type { ServerWatch } from './server-watch.js';
import type { Workspace } from './workspace.js';

export interface ToolCallsParts {
  readonly log: SegmentLog;
  readonly workspace: Pick<Workspace, 'run' | 'stop' | 'check' | 'probe'>;
  readonly servers: Pick<ServerWatch, 'ask'>;
  readonly pulse: Pick<Pulse, 'doing' | 'recorded'>;
  readonly clock: Clock;
}

export const digestOf = (input: unknown): string => sha256(canonical(input));

/** How long stopping a running call may take before it is left in doubt, in milliseconds. */
const STOP_MS = 4_000;
/** How long the model's next turn waits for what a server says of itself, in milliseconds. */
const LOOK_MS = 15_000;

/** The tool calls of a segment: what is recorded of them, and what the workspace is asked for. */
export class ToolCalls {
  constructor(private readonly parts: ToolCallsParts) {}

  /** Calls of one turn run side by side, and each is recorded when it ends. The signal ends the waiting, not the calls. */
  async perform(signal: AbortSignal): Promise<void> {
    const checked = await this.checked(signal);
    await this.record(() => openingEvents(this.run, this.place(), digestOf, checked));
    const started = this.run.openCalls.filter(isRunning);
    const limitMs = this.run.caps.toolSeconds * 1_000;
    this.parts.pulse.doing('tool', started.map(inOneLine).join(' | '), limitMs + STOP_MS);
    const ends = await Promise.allSettled(started.map((call) => this.performOne(call, signal)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** What the workspace says of the inputs that people are to be asked about. */
  private async checked(signal: AbortSignal): Promise<Checked> {
    const calls = callsToCheck(this.run);
    if (calls.length > 0) this.parts.pulse.doing('tool', `Checking the input of ${calls.map(inOneLine).join(' | ')}`);
    return new Map(
      await Promise.all(
        calls.map(async (call) => [call.callId, await this.parts.workspace.check(call, signal)] as const),
      ),
    );
  }

  /** Stops what runs in the workspace and records how each call ended. */
  async stop(because: 'cancelled' | 'timed-out'): Promise<void> {
    await Promise.all(this.run.openCalls.filter(isRunning).map((call) => this.stopOne(call, because)));
  }

  /** A person has interrupted: what was only asked for, or waits for people, is given up too. */
  async interrupt(): Promise<void> {
    await this.stop('cancelled');
    await this.record(() => interruptedCalls(this.run, this.place()));
  }

  /** Asks MCP servers for their tools and records what they say. */
  async discover(servers: readonly string[], signal: AbortSignal): Promise<void> {
    this.parts.pulse.doing('tool', `Asking ${servers.join(', ')} for their tools.`);
    await this.parts.servers.ask(servers, signal);
  }

  private get run() {
    return this.parts.log.history.run;
  }

  private place(): { readonly segment: number; readonly at: Moment } {
    return { segment: this.parts.log.segment, at: momentOf(this.parts.clock.now()) };
  }

  private async record(decide: () => readonly SegmentEvent[]): Promise<void> {
    await this.parts.log.record(decide);
    this.parts.pulse.recorded(this.run.last.revision);
  }

  private async performOne(call: OpenCall, signal: AbortSignal): Promise<void> {
    const state = await this.parts.workspace.run(call, signal);
    const probed = await this.probed(call, state, signal);
    await this.record(() => resultEvents(this.resultPlace(call), state, probed));
    if (!isWell(state)) await this.lookAtServerOf(call, signal);
  }

  /** A call that did not go well may be the first to know that its server is gone: the model's next request says so. */
  private async lookAtServerOf({ tool }: OpenCall, signal: AbortSignal): Promise<void> {
    const server = serverOf(this.run, tool);
    if (server === undefined) return;
    const within = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
    try {
      await this.parts.servers.ask([server], within);
    } catch (error) {
      if (!within.aborted) throw error;
    }
  }

  /** Only of a call that nobody knows about is the world asked. */
  private async probed(call: OpenCall, state: CallState, signal: AbortSignal) {
    return state.state === 'unknown' && hasProbe(this.run, call.tool)
      ? this.parts.workspace.probe(call, signal)
      : undefined;
  }

  private resultPlace(call: OpenCall) {
    return { run: this.run, call, ...this.place(), digestOf };
  }

  private async stopOne(call: OpenCall, because: 'cancelled' | 'timed-out'): Promise<void> {
    const state = await this.stopped(call, because);
    await this.record(() => stoppedEvents(this.resultPlace(call), state));
  }

  /** How the call ended, or why nobody can say. */
  private async stopped(call: OpenCall, because: 'cancelled' | 'timed-out'): Promise<CallState | string> {
    try {
      return await this.parts.workspace.stop(call, because, AbortSignal.timeout(STOP_MS));
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** Whether the workspace may be at work on the call. */
const isRunning = ({ state, tool }: OpenCall): boolean => state === 'started' && carrierOf(tool) === 'workspace';

/** Whether nothing speaks against the one who carried the call out. */
const isWell = (state: CallState): boolean =>
  state.state === 'running' || (state.state === 'finished' && (state.outcome === 'ok' || state.outcome === 'rejected'));

function inOneLine({ tool, input }: OpenCall): string {
  const [first = ''] = Object.values(input);
  return `${tool} ${typeof first === 'string' ? first : JSON.stringify(first)}`.slice(0, 200);
}
