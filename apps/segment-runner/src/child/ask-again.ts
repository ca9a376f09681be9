import { AnswerTimedOut, type Bus, NoResponders, RemoteProblem } from '#bus';
import { WorkspaceHere } from '#contracts';
import { Unavailable } from '#platform';

/** The pause after a failure doubles from the first to the longest, in milliseconds. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;
/** Thousands may wait for one manager: after its word they ask again within this time, not in the same moment. */
const SPREAD_MS = 200;

export interface Question<T> {
  /** Asks once. */
  readonly ask: () => Promise<T>;
  /** The manager whose word that it answers (again) ends the waiting; `*` is any. */
  readonly holder: string;
}

/**
 * Asks until there is an answer, and at once again when the manager says that it has come up: nobody is told that whoever
 * took a request has died. What is asked must be safe to repeat.
 * @throws Unavailable when the signal aborts; whatever else will not pass by itself
 */
export async function askAgain<T>(
  bus: Pick<Bus, 'listen'>,
  question: () => Question<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const { ask, holder } = question();
    const here = new AbortController();
    const listening = bus.listen(`${WorkspaceHere.subject}.${holder}`, WorkspaceHere.body, () => here.abort());
    const either = AbortSignal.any([here.signal, signal]);
    try {
      return await unless(either, ask());
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error;
      await rest(pauseMs, either);
      if (here.signal.aborted) await rest(Math.random() * SPREAD_MS, signal);
    } finally {
      listening.stop();
    }
  }
}

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
