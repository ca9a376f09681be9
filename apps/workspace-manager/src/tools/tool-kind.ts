import type { ToolEffect } from '#contracts';
import type { CallStart, HeldWorkspace, JournalledCall } from '../journal/entries.js';
import type { CallResult, RawResult } from './call-results.js';
import { rawResult } from './call-results.js';

/**
 * What the execution of a call came to. `collected`: the result is another call's, ready as it is; `void`: it certainly
 * did nothing, so it may be asked for as if it were new.
 */
export type Conclusion =
  | { readonly kind: 'finished'; readonly result: RawResult; readonly executions: number }
  | { readonly kind: 'collected'; readonly result: CallResult; readonly executions: number }
  | { readonly kind: 'unknown'; readonly reason: string; readonly executions: number }
  | { readonly kind: 'void' };

/** An accepted call with what it needs to be executed. */
export interface Execution {
  readonly start: CallStart;
  readonly input: Readonly<Record<string, unknown>>;
  readonly held: HeldWorkspace;
  /** What a second execution would do. */
  readonly effect: ToolEffect;
}

/** Something that goes on and can be ended; why is in the journal before. */
export interface Running {
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

/** Is told of what can be stopped, as soon as there is something. */
export type Began = (running: Running) => void;

/** Tools that are carried out in the same way. */
export interface ToolKind {
  /** Whether that workspace has the tool, and it is of this kind. */
  has(tool: string, held: HeldWorkspace): boolean;
  /** What is wrong with an input, where the tool is declared by others; nothing is started. */
  check?(tool: string, input: Execution['input'], held: HeldWorkspace): Promise<string | undefined>;
  /** Carries out a call that is in the journal. @throws SecretUnavailable before anything was done */
  execute(execution: Execution, began: Began): Promise<Conclusion>;
  /** Finds out about a call that had not ended when the manager last did. */
  resume(call: JournalledCall, began: Began): Promise<Conclusion>;
}

export const concluded = (result: RawResult, executions = 1): Conclusion => ({ kind: 'finished', result, executions });

/** The input was wrong: nothing was started. */
export const rejected = (why: string): Conclusion => concluded(rawResult('rejected', why), 0);

/** It went wrong before anything was started. */
export const notStarted = (why: string): Conclusion => concluded(rawResult('error', why), 0);

/** A call that runs within the manager, as something that can be stopped. */
export async function abortable<T>(began: Began, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const aborted = new AbortController();
  const ended = work(aborted.signal);
  const over = ended.catch(() => undefined);
  began({
    ended: over,
    stop: async () => {
      aborted.abort();
      await over;
    },
  });
  return ended;
}
