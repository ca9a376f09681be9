import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { BlobRef, CallState } from '#contracts';
import type { Blobs } from '#log';
import { type Clock, type Logger, messageOf, sha256, Unavailable } from '#platform';
import type { CallResult } from './call-results.js';
import { canonical } from './canonical.js';
import type { Commands, RunningCommand } from './commands.js';
import { CallMismatch } from './errors.js';
import type { Conclusion, Execution, Executor } from './executor.js';
import type { Folders } from './folders.js';
import { type CallKey, type CallStart, type Journal, type JournalledCall, nameOf } from './journal.js';

/** How long a result waits before it is offered again to a journal or blob store that would not take it. */
const AGAIN_MS = 500;
/** How often the blob store is asked to take a whole output before the result goes without it. */
const BLOB_ATTEMPTS = 5;
/** Node's timers count no further. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

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
  command?: RunningCommand;
  /** Why the end cannot be written down at the moment. */
  trouble?: Unavailable;
}

export interface CallsParts {
  readonly journal: Journal;
  readonly executor: Executor;
  readonly commands: Commands;
  readonly blobs: Blobs;
  readonly folders: Folders;
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
  run({ start, input, spec }: CallRequest, waitMs: number): Promise<CallState> {
    const inputDigest = sha256(canonical([start.tool, input]));
    const known = this.live.get(nameOf(start)) ?? this.parts.journal.call(start.runId, start.callId);
    if (known === undefined) {
      const { bootId, clock } = this.parts;
      this.accept({ start: { ...start, inputDigest, bootId, startedAt: clock.now() }, input, spec });
    } else if (known.inputDigest !== inputDigest) {
      throw new CallMismatch(`The call ${start.callId} was started with another input: it is not run again.`);
    }
    return this.state(start, waitMs);
  }

  /** The call's state, after at most `waitMs` while it still runs. */
  async state(key: CallKey, waitMs: number): Promise<CallState> {
    const live = this.live.get(nameOf(key));
    if (live) {
      await live.accepted;
      const settled = await within(live.settled, waitMs, this.leaving.signal);
      if (!settled && live.trouble !== undefined) throw live.trouble;
    }
    return stateOf(this.parts.journal.call(key.runId, key.callId));
  }

  /** Ends a running call and answers with its state once its end is in the journal. */
  async stop(key: CallKey, because: 'cancelled' | 'timed-out'): Promise<CallState> {
    const live = this.live.get(nameOf(key));
    if (live) {
      await live.accepted;
      if (live.command) {
        await this.parts.journal.stopping(key, because);
        await live.command.stop();
      }
      await live.settled;
    }
    return stateOf(this.parts.journal.call(key.runId, key.callId));
  }

  /** Ends all running calls of a run. */
  async stopAll(runId: string): Promise<void> {
    const keys = this.parts.journal.unfinished().filter((call) => call.runId === runId);
    await Promise.all(keys.map((key) => this.stop(key, 'cancelled')));
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
    return call.state === 'running' ? this.parts.commands.claims(call) : call.executions;
  }

  private accept(execution: Execution): void {
    const accepted = this.parts.journal.started(execution.start);
    this.keep(execution.start, accepted, (began) => this.parts.executor.execute(execution, began));
  }

  private keep(
    call: CallStart,
    accepted: Promise<void>,
    carryOut: (began: (command: RunningCommand) => void) => Promise<Conclusion>,
  ): void {
    const live: LiveCall = { inputDigest: call.inputDigest, accepted, settled: accepted };
    const began = (command: RunningCommand): void => {
      live.command = command;
      this.limit(call, command);
    };
    live.settled = accepted
      .then(() => carryOut(began).catch((error: unknown) => this.bewildered(call, error)))
      .then((conclusion) => this.writeDown(call, conclusion, live))
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

  private bewildered(call: CallStart, error: unknown): Conclusion {
    this.parts.logger.error({ run: call.runId, call: call.callId, error: messageOf(error) }, 'a call went wrong');
    return { kind: 'unknown', reason: messageOf(error), executions: this.parts.commands.claims(call) };
  }

  /** Ends the command when its time is over; the time goes on while no manager is there. */
  private limit(call: CallStart, command: RunningCommand): void {
    const left = call.startedAt + call.limitMs - this.parts.clock.now();
    const timer = setTimeout(
      () => void this.stop(call, 'timed-out').catch(() => undefined),
      Math.min(Math.max(left, 0), LONGEST_TIMER_MS),
    );
    timer.unref();
    void command.ended.finally(() => clearTimeout(timer));
  }

  /** Puts the end into the journal, however long that takes: what was done must not be forgotten. */
  private async writeDown(call: CallStart, conclusion: Conclusion, live: LiveCall): Promise<void> {
    const endedAt = this.parts.clock.now();
    const whole = conclusion.kind === 'finished' ? await this.store(conclusion.result) : undefined;
    for (;;) {
      try {
        await this.record(call, conclusion, whole, endedAt);
        break;
      } catch (error) {
        live.trouble = new Unavailable(`The end of the call cannot be written down: ${messageOf(error)}`, {
          cause: error,
        });
        await pause(AGAIN_MS, undefined, { ref: false });
      }
    }
    this.parts.commands.release(call);
    const removed = rm(this.parts.folders.call(call.runId, call.callId), { recursive: true, force: true });
    // Only a call that may be run again must find its place empty; what else is left is tidied up later.
    await (conclusion.kind === 'void' ? removed : undefined);
    removed.catch(() => undefined);
  }

  private record(call: CallStart, conclusion: Conclusion, whole: BlobRef | undefined, endedAt: number): Promise<void> {
    const { journal } = this.parts;
    switch (conclusion.kind) {
      case 'finished': {
        const { outcome, content } = conclusion.result;
        return journal.finished(call, { outcome, content, whole }, conclusion.executions, endedAt);
      }
      case 'unknown':
        return journal.unknown(call, conclusion.reason, conclusion.executions, endedAt);
      case 'void':
        return journal.forgotten(call);
    }
  }

  /** Stores what the result does not show. A result without it is better than none. */
  private async store({ whole }: CallResult): Promise<BlobRef | undefined> {
    if (whole === undefined) return undefined;
    for (let attempt = 1; attempt <= BLOB_ATTEMPTS; attempt += 1) {
      try {
        return await this.parts.blobs.put(whole, 'text/plain; charset=utf-8');
      } catch (error) {
        this.parts.logger.warn({ attempt, error: messageOf(error) }, 'a whole output could not be stored');
        await pause(AGAIN_MS, undefined, { ref: false });
      }
    }
    return undefined;
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
