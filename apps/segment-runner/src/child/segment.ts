import { RemoteProblem } from '#bus';
import { type Moment, momentOf, type SegmentEndReason } from '#contracts';
import {
  type Act,
  canonical,
  compactionRequest,
  nextAct,
  type OpenCall,
  openingEvents,
  type SegmentEvent,
  textOf,
  turnRequest,
  withCalls,
} from '#domain';
import { BatonError, type Clock, messageOf, requestDigest, sha256 } from '#platform';
import { ModelFailure } from '../model/model-failure.js';
import type { Model } from '../model/model-port.js';
import { retryDelayMs } from '../model/retry.js';
import { inDoubt, resultEvents } from './call-results.js';
import type { NoteKeeper } from './note-keeper.js';
import type { Pulse } from './pulse.js';
import { Fenced, type SegmentLog } from './segment-log.js';
import type { Workspace } from './workspace.js';

/** What a segment works with. */
export interface SegmentParts {
  readonly log: SegmentLog;
  readonly model: Model;
  readonly workspace: Workspace;
  readonly pulse: Pick<Pulse, 'doing' | 'recorded'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Hears the model's words as they come; for viewers only. */
  readonly onText: (turn: number, delta: string) => void;
  readonly notes: Pick<NoteKeeper, 'recorded' | 'leave'>;
}

const digestOf = (input: unknown): string => sha256(canonical(input));
/** How long stopping a running call may take before it is left in doubt, in milliseconds. */
const STOP_MS = 4_000;

/**
 * The agent loop of one segment. What to do next is always asked of the domain (`nextAct`) on the newest recorded
 * state; nothing that matters is kept here, so that the process may die at any line.
 */
export class Segment {
  private readonly deadline: number;
  private longestStepMs = 0;
  private draining = false;
  private activity = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: SegmentParts,
    segmentMs: number,
  ) {
    this.deadline = parts.clock.monotonic() + segmentMs;
  }

  /** Works until the segment's end is recorded. @throws Fenced */
  async work(): Promise<SegmentEndReason> {
    this.timer = setTimeout(() => this.activity.abort(), this.remainingMs() - this.reserveMs()).unref();
    try {
      for (;;) {
        this.parts.log.assertNotFenced();
        const act = nextAct(this.history.run, this.history.context, this.parts.log.segment, this.circumstances());
        if (act.kind === 'end') return await this.end(act);
        const began = this.parts.clock.monotonic();
        const refusal = await this.performed(act);
        if (refusal !== undefined) return await this.end({ kind: 'end', reason: 'failed', detail: refusal });
        this.longestStepMs = Math.max(this.longestStepMs, this.parts.clock.monotonic() - began);
      }
    } finally {
      clearTimeout(this.timer);
    }
  }

  /** The process was asked to stop: what runs in the workspace goes on, the model's turn is given up. */
  drain(): void {
    this.draining = true;
    this.activity.abort();
  }

  /** Somebody has recorded something on this run: look, and stop what is no longer wanted. @throws Fenced */
  async glance(): Promise<void> {
    const { run } = await this.parts.log.glance();
    if (run.cancel || run.pause) this.activity.abort();
  }

  /** The segment is over for this process: let go of everything. */
  abandon(): void {
    this.activity.abort();
  }

  private get history() {
    return this.parts.log.history;
  }

  private reserveMs(): number {
    return this.history.run.caps.reserveSeconds * 1_000;
  }

  private remainingMs(): number {
    return this.deadline - this.parts.clock.monotonic();
  }

  private circumstances() {
    const { longestStepMs, draining } = this;
    return { now: this.parts.clock.now(), remainingMs: this.remainingMs(), longestStepMs, draining };
  }

  private at(): { readonly segment: number; readonly at: Moment } {
    return { segment: this.parts.log.segment, at: momentOf(this.parts.clock.now()) };
  }

  /** Why the run cannot go on, when the workspace has refused for good. */
  private async performed(act: Exclude<Act, { kind: 'end' }>): Promise<string | undefined> {
    try {
      await this.perform(act);
      return undefined;
    } catch (error) {
      if (!(error instanceof RemoteProblem)) throw error;
      if (error.remedy === 'stand-down') throw new Fenced(error.message);
      return `The workspace refused (${error.code}): ${error.message}`.slice(0, 2_000);
    }
  }

  private async perform(act: Exclude<Act, { kind: 'end' }>): Promise<void> {
    switch (act.kind) {
      case 'calls':
        return this.performCalls(act.calls);
      case 'back-off':
        return this.backOff(act.until);
      case 'compact':
        return this.compact();
      case 'turn':
        if (act.announce.length > 0) await this.record(() => act.announce);
        return this.turn();
    }
  }

  private async record(decide: () => readonly SegmentEvent[]): Promise<void> {
    await this.parts.log.record(decide);
    this.parts.pulse.recorded(this.history.run.last.revision);
    this.parts.notes.recorded();
  }

  private async turn(): Promise<void> {
    const { run, context } = this.history;
    const { clock, model, pulse } = this.parts;
    const basedOn = run.last.revision;
    const turn = run.turns + 1;
    const request = turnRequest(run, context, basedOn);
    pulse.doing('model', `Turn ${turn} with ${request.model}.`);
    const began = clock.monotonic();
    try {
      const onText = (delta: string): void => this.parts.onText(turn, delta);
      const answer = await model.turn(request, { signal: this.activity.signal, onText });
      const durationMs = Math.round(clock.monotonic() - began);
      const place = this.at();
      const completed: SegmentEvent = {
        type: 'ModelTurnCompleted',
        data: { ...place, turn, basedOn, requestDigest: requestDigest(request), ...answer, durationMs },
      };
      await this.record(() => withCalls(this.history.run, completed, place, digestOf));
    } catch (error) {
      await this.afterFailure(error, turn);
    }
  }

  private async afterFailure(error: unknown, turn: number): Promise<void> {
    if (!(error instanceof ModelFailure)) {
      if (this.activity.signal.aborted && !(error instanceof BatonError)) return;
      throw error;
    }
    const { run } = this.history;
    const attempt = (run.modelTrouble?.attempt ?? 0) + 1;
    const delay = retryDelayMs(error.kind, attempt, error.retryAfterMs, this.parts.random());
    const retryInMs = error.retryable && attempt <= run.caps.modelRetries ? delay : undefined;
    const data = { ...this.at(), turn, attempt, kind: error.kind, message: messageOf(error).slice(0, 2_000) };
    await this.record(() => [
      { type: 'ModelTurnFailed', data: retryInMs === undefined ? data : { ...data, retryInMs } },
    ]);
  }

  private async compact(): Promise<void> {
    const { run, context } = this.history;
    const basedOn = run.last.revision;
    this.parts.pulse.doing('compacting', `${context.tokens} tokens of context.`);
    try {
      const request = compactionRequest(run, context, basedOn);
      const answer = await this.parts.model.turn(request, { signal: this.activity.signal });
      const data = { ...this.at(), basedOn, summary: textOf(answer.content), usage: answer.usage };
      await this.record(() => [{ type: 'ContextCompacted', data }]);
    } catch (error) {
      await this.afterFailure(error, run.turns + 1);
    }
  }

  private async backOff(until: number): Promise<void> {
    const { clock, pulse } = this.parts;
    const waitMs = Math.max(0, Math.min(until - clock.now(), this.remainingMs() - this.reserveMs()));
    pulse.doing('backing-off', `The model asked for patience: ${Math.ceil(waitMs / 1_000)} s.`);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.activity.signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
    });
  }

  /** Calls of one turn run side by side, and each is recorded when it ends. */
  private async performCalls(calls: readonly OpenCall[]): Promise<void> {
    await this.record(() => openingEvents(this.history.run, this.at(), digestOf));
    const started = this.history.run.openCalls.filter(({ state }) => state === 'started');
    const limitMs = this.history.run.caps.toolSeconds * 1_000;
    this.parts.pulse.doing('tool', started.map(inOneLine).join(' | ') || `${calls.length} calls`, limitMs + STOP_MS);
    const ends = await Promise.allSettled(started.map((call) => this.performCall(call)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  private async performCall(call: OpenCall): Promise<void> {
    try {
      const state = await this.parts.workspace.run(call, this.activity.signal);
      await this.record(() => resultEvents(call, state, this.at()));
    } catch (error) {
      if (this.activity.signal.aborted && isPassing(error)) return;
      throw error;
    }
  }

  private async end({ reason, detail }: Extract<Act, { kind: 'end' }>): Promise<SegmentEndReason> {
    const { log, pulse } = this.parts;
    pulse.doing('handing-off', reason);
    if (reason === 'cancelled') await this.stopCalls();
    if (reason === 'handoff' || reason === 'drain') await this.parts.notes.leave();
    await log.record(() => [
      { type: 'SegmentEnded', data: { ...this.at(), reason, ...(detail === undefined ? {} : { detail }) } },
    ]);
    return reason;
  }

  private async stopCalls(): Promise<void> {
    const started = this.history.run.openCalls.filter(({ state }) => state !== 'asked');
    await Promise.all(
      started.map(async (call) => {
        const events = await this.stopped(call);
        await this.record(() => events);
      }),
    );
  }

  private async stopped(call: OpenCall): Promise<readonly SegmentEvent[]> {
    try {
      const state = await this.parts.workspace.stop(call, 'cancelled', AbortSignal.timeout(STOP_MS));
      if (state.state !== 'absent' && state.state !== 'running') return resultEvents(call, state, this.at());
      return state.state === 'absent' ? [] : inDoubt(call, 'it did not stop in time', this.at());
    } catch (error) {
      return inDoubt(call, messageOf(error), this.at());
    }
  }
}

const isPassing = (error: unknown): boolean => error instanceof BatonError && error.remedy === 'retry';

function inOneLine({ tool, input }: OpenCall): string {
  const [first = ''] = Object.values(input);
  return `${tool} ${typeof first === 'string' ? first : JSON.stringify(first)}`.slice(0, 200);
}
