import { RemoteProblem } from '#bus';
import { type Moment, momentOf, type SegmentEndReason } from '#contracts';
import {
  type Act,
  compactionRequest,
  hasNewMedia,
  minutesEndAt,
  nextAct,
  type Run,
  recordable,
  recordableSummary,
  type SegmentEvent,
  textOf,
  turnRequest,
  withCalls,
} from '#domain';
import { LogRefused } from '#log';
import { BatonError, type Clock, LONGEST_TIMER_MS, messageOf, requestDigest } from '#platform';
import { ModelFailure } from '../model/model-failure.js';
import type { Model, TurnPlace } from '../model/model-port.js';
import { retryDelayMs } from '../model/retry.js';
import type { NoteKeeper } from './note-keeper.js';
import type { Pulse } from './pulse.js';
import { Fenced, type SegmentLog } from './segment-log.js';
import { ServerWatch } from './server-watch.js';
import { digestOf, ToolCalls } from './tool-calls.js';
import type { Workspace } from './workspace.js';

/** What a segment works with. */
export interface SegmentParts {
  readonly log: SegmentLog;
  readonly model: Model;
  readonly workspace: Pick<Workspace, 'run' | 'stop' | 'check' | 'discover' | 'probe'>;
  readonly pulse: Pick<Pulse, 'doing' | 'recorded'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Hears the model's words as they come; for viewers only. */
  readonly onText: (turn: number, delta: string) => void;
  readonly notes: Pick<NoteKeeper, 'recorded' | 'leave'>;
}

/** How long giving up an activity may take, in milliseconds. */
const GIVING_UP_MS = 4_000;

/**
 * The agent loop of one segment. What to do next is always asked of the domain (`nextAct`) on the newest recorded
 * state; nothing that matters is kept here, so that the process may die at any line.
 */
export class Segment {
  private readonly deadline: number;
  private longestStepMs = 0;
  /** The revision that the request under way was built from: an interrupt before it is being read already. */
  private readUpTo = -1;
  private draining: { readonly why: string | undefined } | undefined;
  private activity = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  /** For how long the activity may go on. */
  private leftMs = 0;
  private readonly calls: ToolCalls;
  private readonly servers: ServerWatch;

  constructor(
    private readonly parts: SegmentParts,
    private readonly segmentMs: number,
  ) {
    this.deadline = parts.clock.monotonic() + segmentMs;
    this.servers = new ServerWatch(parts);
    this.calls = new ToolCalls({ ...parts, servers: this.servers });
  }

  /** Works until the segment's end is recorded. @throws Fenced */
  async work(): Promise<SegmentEndReason> {
    this.servers.begin();
    try {
      for (;;) {
        this.parts.log.assertNotFenced();
        this.renewActivity();
        const act = nextAct(this.history.run, this.history.context, this.parts.log.segment, this.circumstances());
        const began = this.parts.clock.monotonic();
        const refusal = act.kind === 'end' ? undefined : await this.performed(act);
        const end = refusal === undefined ? act : { kind: 'end' as const, reason: 'failed' as const, detail: refusal };
        if (end.kind === 'end' && (await this.ended(end))) return end.reason;
        this.longestStepMs = Math.max(this.longestStepMs, this.parts.clock.monotonic() - began);
      }
    } finally {
      clearTimeout(this.timer);
      this.servers.end();
    }
  }

  /** Something has happened to an MCP server. */
  lookAtServers(): Promise<void> {
    return this.servers.look();
  }

  /** The process was asked to stop: what runs in the workspace goes on, the model's turn is given up. */
  drain(why?: string): void {
    this.draining = { why };
    this.activity.abort();
  }

  /** Somebody has recorded something on this run: look, and stop what is no longer wanted. @throws Fenced */
  async glance(): Promise<void> {
    const { run } = await this.parts.log.glance();
    const interrupted = run.interrupt !== null && run.interrupt > this.readUpTo;
    if (run.cancel || run.pause || interrupted) this.activity.abort();
  }

  /** The segment is over for this process: let go of everything. */
  abandon(): void {
    this.activity.abort();
  }

  /** What the segment does may take until its deadline, or until the run's minutes are over; what was aborted is over. */
  private renewActivity(): void {
    if (this.activity.signal.aborted) this.activity = new AbortController();
    const { clock } = this.parts;
    const now = clock.now();
    const segmentLeftMs = this.remainingMs() - this.reserveMs();
    const minutesLeftMs = minutesEndAt(this.history.run, now) - now;
    this.leftMs = Math.min(Math.max(Math.min(segmentLeftMs, minutesLeftMs), 0), LONGEST_TIMER_MS);
    const hadItsTime = this.leftMs === segmentLeftMs && segmentLeftMs >= (this.segmentMs - this.reserveMs()) / 2;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.activity.abort(hadItsTime ? tooLong() : undefined), this.leftMs).unref();
  }

  /** Past this limit the activity should have been given up: something is stuck. */
  private limitMs(): number {
    return this.leftMs + GIVING_UP_MS;
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
    const { longestStepMs } = this;
    const { asked } = this.servers;
    const draining = this.draining !== undefined;
    return { now: this.parts.clock.now(), remainingMs: this.remainingMs(), longestStepMs, draining, asked };
  }

  private at(): { readonly segment: number; readonly at: Moment } {
    return { segment: this.parts.log.segment, at: momentOf(this.parts.clock.now()) };
  }

  /** Why the run cannot go on, when the workspace or the log has refused for good. */
  private async performed(act: Exclude<Act, { kind: 'end' }>): Promise<string | undefined> {
    try {
      await this.perform(act);
      return undefined;
    } catch (error) {
      if (this.activity.signal.aborted && isPassing(error)) return undefined;
      if (error instanceof LogRefused) return `What was to be recorded was refused: ${error.message}`.slice(0, 2_000);
      if (!(error instanceof RemoteProblem)) throw error;
      if (error.remedy === 'stand-down') throw new Fenced(error.message);
      return `The workspace refused (${error.code}): ${error.message}`.slice(0, 2_000);
    }
  }

  private async perform(act: Exclude<Act, { kind: 'end' }>): Promise<void> {
    switch (act.kind) {
      case 'calls':
        return this.calls.perform(this.activity.signal);
      case 'stop-calls':
        return act.because === 'interrupt' ? this.calls.interrupt() : this.calls.stop('timed-out');
      case 'discover':
        return this.calls.discover(act.servers, this.activity.signal);
      case 'back-off':
        return this.backOff(act.until);
      case 'compact':
      case 'turn':
        if (act.announce.length > 0) await this.record(() => act.announce);
        return act.kind === 'turn' ? this.turn() : this.compact();
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
    this.readUpTo = basedOn;
    const request = turnRequest(run, context, basedOn);
    pulse.doing('model', `Turn ${turn} with ${request.model}.`, this.limitMs());
    const began = clock.monotonic();
    try {
      const onText = (delta: string): void => this.parts.onText(turn, delta);
      const answer = await model.turn(request, { signal: this.activity.signal, onText, place: placeOf(run) });
      const durationMs = Math.round(clock.monotonic() - began);
      const place = this.at();
      const { content, stopReason, usage, model: answeredBy } = recordable(answer);
      const completed: SegmentEvent = {
        type: 'ModelTurnCompleted',
        data: {
          segment: place.segment,
          at: place.at,
          turn,
          basedOn,
          requestDigest: requestDigest(request),
          content,
          stopReason,
          usage,
          model: answeredBy,
          durationMs,
        },
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
    const { run, context } = this.history;
    const { attempt } = placeOf(run);
    const delay = retryDelayMs(error.kind, attempt, error.retryAfterMs, this.parts.random());
    // What was new to the model is left out of the next attempt.
    const otherwise = error.kind === 'invalid-request' && hasNewMedia(context) ? 0 : undefined;
    const retryInMs = attempt <= run.caps.modelRetries ? (error.retryable ? delay : otherwise) : undefined;
    const data = { ...this.at(), turn, attempt, kind: error.kind, message: messageOf(error).slice(0, 2_000) };
    await this.record(() => [
      { type: 'ModelTurnFailed', data: retryInMs === undefined ? data : { ...data, retryInMs } },
    ]);
  }

  private async compact(): Promise<void> {
    const { run, context } = this.history;
    const basedOn = run.last.revision;
    this.parts.pulse.doing('compacting', `${context.tokens} tokens of context.`, this.limitMs());
    try {
      const request = compactionRequest(run, context, basedOn);
      const answer = await this.parts.model.turn(request, { signal: this.activity.signal, place: placeOf(run) });
      const data = {
        ...this.at(),
        basedOn,
        summary: recordableSummary(textOf(answer.content)),
        usage: answer.usage,
        requestDigest: requestDigest(request),
      };
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

  /**
   * Whether the end is recorded. What came in between, a wish above all, may ask for another end or for none: then it is
   * not, and what to do is asked again. Nothing takes back a wish to cancel.
   */
  private async ended({ reason, ...end }: Extract<Act, { kind: 'end' }>): Promise<boolean> {
    const { log, pulse } = this.parts;
    const detail = end.detail ?? (reason === 'drain' ? this.draining?.why : undefined);
    const { revision } = this.history.run.last;
    pulse.doing('handing-off', reason);
    if (reason === 'cancelled') await this.calls.stop('cancelled');
    if (reason !== 'finished' && reason !== 'cancelled') await this.parts.notes.leave();
    let holds = true;
    await log.record(({ run }) => {
      holds = reason === 'cancelled' || run.last.revision === revision;
      if (!holds) return [];
      return [{ type: 'SegmentEnded', data: { ...this.at(), reason, ...(detail === undefined ? {} : { detail }) } }];
    });
    return holds;
  }
}

/** Which turn is due, and at which attempt. */
const placeOf = ({ turns, modelTrouble }: Run): TurnPlace => ({
  turn: turns + 1,
  attempt: (modelTrouble?.attempt ?? 0) + 1,
});

const isPassing = (error: unknown): boolean => error instanceof BatonError && error.remedy === 'retry';

/** A turn that most of a segment was not enough for counts as an attempt: or each later segment would try it anew, for ever. */
const tooLong = (): ModelFailure =>
  new ModelFailure(
    'timed-out',
    'The model had not answered when the time of its segment was over; raise caps.segmentSeconds if it thinks for so long.',
  );
