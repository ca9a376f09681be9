import { type CallState, type Discovery, momentOf } from '#contracts';
import type { OpenCall } from '#domain';

export const finished = (text: string, outcome: 'ok' | 'error' | 'cancelled' | 'timed-out' = 'ok'): CallState => ({
  state: 'finished',
  startedAt: momentOf(0),
  endedAt: momentOf(10),
  outcome,
  content: [{ type: 'text', text }],
});

/** A workspace that keeps the promise of law 5: a call that it knows is not carried out again. */
export class KeptCalls {
  readonly effects: string[] = [];
  private readonly known = new Map<string, CallState>();
  /** How a call goes; at once and well when absent. */
  goes: ((call: OpenCall, signal: AbortSignal) => Promise<CallState>) | undefined;
  stops: (call: OpenCall) => Promise<CallState> = () => Promise.resolve(finished('Stopped.', 'cancelled'));

  async run(call: OpenCall, signal: AbortSignal): Promise<CallState> {
    const id = `${call.callId}/${call.attempts ?? 1}`;
    const known = this.known.get(id);
    if (known) return known;
    this.effects.push(call.input['command'] as string);
    const state = this.goes ? await this.goes(call, signal) : finished('Done.');
    if (state.state === 'finished') this.known.set(id, state);
    return state;
  }

  /** What is wrong with the input of a call, as the workspace finds. */
  finds: (call: OpenCall) => string | undefined = () => undefined;

  check(call: OpenCall): Promise<string | undefined> {
    return Promise.resolve(this.finds(call));
  }

  /** What a server says when it is asked. */
  declares: (server: string) => Discovery = (server) => ({ state: 'ready', server, tools: [] });

  discover(servers: readonly string[]): Promise<readonly Discovery[]> {
    return Promise.resolve(servers.map((server) => this.declares(server)));
  }

  probe(): Promise<{ readonly found: 'not-done' }> {
    return Promise.resolve({ found: 'not-done' });
  }

  stop(call: OpenCall): Promise<CallState> {
    return this.stops(call);
  }
}
