import { setTimeout as pause } from 'node:timers/promises';
import type { CallState, RunId } from '#contracts';
import { canonical } from '#domain';
import { type Clock, LONGEST_TIMER_MS, type Logger, messageOf, sha256, Unavailable } from '#platform';
import type { Commands } from './commands.js';
import { CallMismatch } from './errors.js';
import { type CallEnd, type CallKey, type CallStart, type JournalledCall, nameOf } from './journal/entries.js';
import type { Journal } from './journal/journal.js';
import type { CallResult } from './tools/call-results.js';
import type { Executor, Settlement } from './tools/executor.js';
import type { Began, Execution, Running } from './tools/tool-kind.js';
import { insist, type WholeOutputs } from './tools/whole-outputs.js';

/** A request to run a call; its workspace is known and its segment checked. */
export type CallRequest = Omit<Execution, 'start'> & {
  readonly start: Omit<CallStart, 'startedAt' | 'bootId' | 'inputDigest'>;
};

/** A call that has not ended, or whose end is not yet in the journal. */
interface LiveCall {
  readonly inputDigest: string;
  /** The call is in the journal. */
  readonly accepted: Promise<void>;
  /** Its end is in the journal. */
  settled: Promise<void>;
  /** What can be stopped of it. */
  running?: Running;
  /** Why the end cannot be written down at the moment. */
  trouble?: Unavailable;
}

/** What a call came to, once what is large of it is stored. */
type Ended =
  | Exclude<Settlement, { kind: 'finished' }>
  | { readonly kind: 'finished'; readonly end: CallEnd; readonly executions: number };

export interface CallsParts {
  readonly journal: Journal;
  readonly executor: Executor;
  readonly commands: Commands;
  readonly outputs: WholeOutputs;
  readonly bootId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Runs calls, each at most once (law 5).
 *
 * C1. A call is durably in the journal before it starts; a call that is there is never started again.
 * C2. A result is durably in the journal before anybody is told.
 * C3. After a restart every call that had not ended is followed up: its end is found, waited for, or honestly unknown;
 *     one that certainly did nothing is forgotten, so that whoever asks may run it.
 */
export class Calls {
  private readonly live = new Map<string, LiveCall>();
  private readonly leaving = new AbortController();

  constructor(private readonly parts: CallsParts) {}

  /** Starts the call unless it is known, and answers with its state after at most `waitMs`. */
  async run(request: CallRequest, waitMs: number): Promise<CallState> {
    const { start, input, held, effect } = request;
    const inputDigest = sha256(canonical([start.tool, input]));
    const known = this.live.get(nameOf(start)) ?? this.parts.journal.call(start);
    if (known === undefined) {
      const { bootId, clock } = this.parts;
      this.accept({ start: { ...start, inputDigest, bootId, startedAt: clock.now() }, input, held, effect });
    } else if (known.inputDigest !== inputDigest) {
      throw new CallMismatch(`The call ${start.callId} was started with another input: it is not run again.`);
    }
    const state = await this.state(start, waitMs);
    // A call that a dead manager had accepted and never begun has just been forgotten.
    return state.state === 'absent' ? this.run(request, waitMs) : state;
  }

  /** The call's state, after at most `waitMs` while it still runs. */
  async state(key: CallKey, waitMs: number): Promise<CallState> {
    const live = this.live.get(nameOf(key));
    if (live) {
      await live.accepted;
      const settled = await within(live.settled, waitMs, this.leaving.signal);
      if (!settled && live.trouble !== undefined) throw live.trouble;
    }
    return stateOf(this.parts.journal.call(key));
  }

  /** Ends a running call and answers with its state once its end is in the journal. */
  async stop(key: CallKey, because: 'cancelled' | 'timed-out'): Promise<CallState> {
    const live = this.live.get(nameOf(key));
    if (live) {
      await live.accepted;
      if (live.running) {
        await this.parts.journal.stopping(key, because);
        await live.running.stop();
      }
      await live.settled;
    }
    return stateOf(this.parts.journal.call(key));
  }

  /** Ends all running calls of a run. */
  async stopAll(runId: string): Promise<void> {
    const keys = this.parts.journal.unfinished().filter((call) => call.runId === runId);
    await Promise.all(keys.map((key) => this.stop(key, 'cancelled')));
  }

  /** The runs with calls that have not ended. */
  runs(): RunId[] {
    return this.parts.journal.unfinished().map(({ runId }) => runId);
  }

  /** Answers those who wait for calls at once, because the manager ends; the calls themselves go on. */
  letGo(): void {
    this.leaving.abort();
  }

  /** Takes up the calls that had not ended when this manager last did (C3). */
  resume(): void {
    for (const call of this.parts.journal.unfinished()) {
      this.keep(call, Promise.resolve(), (began) => this.parts.executor.resume(call, began));
    }
  }

  /** Whether the call of this name (`nameOf`) has not ended, or its end is not yet in the journal. */
  isLive(name: string): boolean {
    return this.live.has(name);
  }

  /** How often the call was really started. */
  executions(call: JournalledCall): number {
    if (call.state !== 'running') return call.executions;
    return call.tool === 'bash' ? this.parts.commands.claims(call) : 1;
  }

  private accept(execution: Execution): void {
    const accepted = this.parts.journal.started(execution.start);
    this.keep(execution.start, accepted, (began) => this.parts.executor.execute(execution, began));
  }

  private keep(call: CallStart, accepted: Promise<void>, carryOut: (began: Began) => Promise<Settlement>): void {
    const live: LiveCall = { inputDigest: call.inputDigest, accepted, settled: accepted };
    const began = (running: Running): void => {
      live.running = running;
      this.limit(call, running);
    };
    live.settled = accepted
      .then(() => carryOut(began).catch((error: unknown) => this.bewildered(call, error)))
      .then((settlement) => this.writeDown(call, settlement, live))
      .finally(() => this.live.delete(nameOf(call)));
    // Whoever asked is told by `accepted`; with nobody asking the failure must not end the manager.
    live.settled.catch((error: unknown) => {
      this.parts.logger.warn(
        { run: call.runId, call: call.callId, error: messageOf(error) },
        'a call was not accepted',
      );
    });
    this.live.set(nameOf(call), live);
  }

  private bewildered(call: CallStart, error: unknown): Settlement {
    this.parts.logger.error({ run: call.runId, call: call.callId, error: messageOf(error) }, 'a call went wrong');
    return { kind: 'unknown', reason: messageOf(error), executions: this.parts.commands.claims(call) };
  }

  /** Ends what runs when its time is over; the time goes on while no manager is there. */
  private limit(call: CallStart, running: Running): void {
    const left = call.startedAt + call.limitMs - this.parts.clock.now();
    const timer = setTimeout(
      () => void this.timeOut(call, running).catch((error: unknown) => this.notStopped(call, error)),
      Math.min(Math.max(left, 0), LONGEST_TIMER_MS),
    );
    timer.unref();
    void running.ended.finally(() => clearTimeout(timer));
  }

  /** Where a full disk takes no note of the reason, the time is over all the same. */
  private async timeOut(call: CallStart, running: Running): Promise<void> {
    await this.parts.journal.stopping(call, 'timed-out').catch((error: unknown) => this.notStopped(call, error));
    await running.stop();
  }

  private notStopped(call: CallStart, error: unknown): void {
    this.parts.logger.warn(
      { run: call.runId, call: call.callId, error: messageOf(error) },
      'stopping a call at its time limit went wrong',
    );
  }

  /** Puts the end into the journal, however long that takes: what was done must not be forgotten. */
  private async writeDown(call: CallStart, settlement: Settlement, live: LiveCall): Promise<void> {
    const endedAt = this.parts.clock.now();
    const ended: Ended =
      settlement.kind === 'finished' ? { ...settlement, end: await this.stored(call, settlement.result) } : settlement;
    await insist(
      () => this.record(call, ended, endedAt),
      (error) => {
        live.trouble = new Unavailable(`The end of the call cannot be written down: ${messageOf(error)}`, {
          cause: error,
        });
      },
    );
    // What a command in the background still holds is freed at its own end.
    if (this.parts.journal.background(call)) return;
    const released = this.parts.commands.release(call);
    // Only a call that may be run again must find its place empty; what else is left is tidied up later.
    await (settlement.kind === 'void' ? released : undefined);
    released.catch(() => undefined);
  }

  /** What is large lies in the blob store before the journal names it. */
  private async stored(call: CallStart, { outcome, content, media, whole }: CallResult): Promise<CallEnd> {
    const { outputs } = this.parts;
    return {
      outcome,
      content: [...content, ...(await outputs.shown(call, media))],
      whole: await outputs.keep(call, whole),
    };
  }

  private record(call: CallStart, ended: Ended, endedAt: number): Promise<void> {
    const { journal } = this.parts;
    switch (ended.kind) {
      case 'finished':
        return journal.finished(call, ended.end, ended.executions, endedAt);
      case 'unknown':
        return journal.unknown(call, ended.reason, ended.executions, endedAt);
      case 'void':
        return journal.forgotten(call);
    }
  }
}

const moment = (milliseconds: number): string => new Date(milliseconds).toISOString();

function stateOf(call: JournalledCall | undefined): CallState {
  if (call === undefined) return { state: 'absent' };
  const startedAt = moment(call.startedAt);
  if (call.state === 'unknown') return { state: 'unknown', startedAt, reason: call.reason ?? '' };
  if (call.state === 'running' || call.end === undefined) return { state: 'running', startedAt };
  const { outcome, content, whole } = call.end;
  const endedAt = moment(call.endedAt ?? call.startedAt);
  return { state: 'finished', startedAt, endedAt, outcome, content: [...content], ...(whole && { whole }) };
}

/** Whether the promise was fulfilled in time; false while it is not. */
async function within(promise: Promise<void>, milliseconds: number, leaving: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, leaving]);
  const time = pause(Math.min(milliseconds, LONGEST_TIMER_MS), false, { signal, ref: false }).catch(() => false);
  try {
    return await Promise.race([promise.then(() => true), time]);
  } finally {
    over.abort();
  }
}
