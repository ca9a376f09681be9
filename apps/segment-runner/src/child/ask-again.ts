import { AnswerTimedOut, type Bus, NoResponders, RemoteProblem } from '#bus';
import { WorkspaceHere } from '#contracts';
import { type Clock, Unavailable } from '#platform';

/** The pause after a failure doubles from the first to the longest, in milliseconds. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;
/** Thousands may wait for one manager: after its word they ask again within this time, not in the same moment. */
const SPREAD_MS = 200;
/** What is over is given up when nobody has answered for this long, in milliseconds. */
const UNANSWERED_MS = 60_000;

export interface Question<T> {
  /** Asks once. */
  readonly ask: () => Promise<T>;
  /** The manager whose word that it answers (again) ends the waiting; `*` is any. */
  readonly holder: string;
}

export interface Patience {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Whether it is to be given up when nobody answers for a minute; never when absent. */
  readonly isOver?: () => boolean;
}

export class Unanswered extends Error {
  override readonly message =
    `The workspace has not answered for ${UNANSWERED_MS / 1_000} s, and the call is past its limit.`;
}

/**
 * Asks until there is an answer, and at once again when the manager says that it has come up: nobody is told that whoever
 * took a request has died. What is asked must be safe to repeat.
 * @throws Unavailable when the signal aborts; Unanswered; whatever else will not pass by itself
 */
export async function askAgain<T>(
  bus: Pick<Bus, 'listen'>,
  question: () => Question<T>,
  { signal, clock, isOver = () => false }: Patience,
): Promise<T> {
  let unansweredSince = clock.monotonic();
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const { ask, holder } = question();
    const here = new AbortController();
    const listening = bus.listen(`${WorkspaceHere.subject}.${holder}`, WorkspaceHere.body, () => here.abort());
    const either = AbortSignal.any([here.signal, signal]);
    try {
      return await unless(either, ask());
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error;
      if (!isUnanswered(error)) unansweredSince = clock.monotonic();
      if (clock.monotonic() - unansweredSince >= UNANSWERED_MS && isOver()) throw new Unanswered();
      await rest(pauseMs, either);
      // Who has waited for an answer for long need not pause for long.
      if (!(error instanceof AnswerTimedOut)) pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      if (here.signal.aborted) await rest(Math.random() * SPREAD_MS, signal);
    } finally {
      listening.stop();
    }
  }
}

const isUnanswered = (error: unknown): boolean => error instanceof NoResponders || error instanceof AnswerTimedOut;

const isPassing = (error: unknown): boolean =>
  error instanceof NoResponders ||
  error instanceof AnswerTimedOut ||
  error instanceof Unavailable ||
  (error instanceof RemoteProblem && (error.remedy === 'retry' || error.code === 'workspace-not-open'));

/** The answer; rejects as soon as the signal says so, while what was asked for goes on. */
async function unless<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new Unavailable('The workspace has not answered in time.'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Resolves after the time, or as soon as the signal aborts. */
function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
