import { setTimeout as pause } from 'node:timers/promises';
import { AnswerTimedOut, type Bus, NoResponders, RemoteProblem } from '#bus';
import { WorkspaceHere } from '#contracts';
import { type Clock, Unavailable } from '#platform';

/** The pause after a refusal doubles from the first to the longest, in milliseconds. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;
/** Thousands may wait for one manager: after its word they ask again within this time, not in the same moment. */
const SPREAD_MS = 200;

/** What may be given up is given up when nobody has answered for this long, in milliseconds. */
const UNANSWERED_MS = 60_000;

export class Unanswered extends Error {
  override readonly message =
    `The workspace has not answered for ${UNANSWERED_MS / 1_000} s, and the call is past its limit.`;
}

/** How long a question is repeated. */
export interface Patience {
  readonly signal: AbortSignal;
  /** Whether it is to be given up when nobody answers; never when absent. */
  readonly isOver?: () => boolean;
}

export interface Question<T> {
  /** Asks once. */
  readonly ask: () => Promise<T>;
  /** The manager whose word that it answers (again) ends the waiting; `*` is any. */
  readonly holder: string;
}

/**
 * Asks until there is an answer, and at once again when the manager says that it has come up: nobody is told that whoever
 * took a request has died. What is asked must be safe to repeat.
 * @throws Unavailable when the signal aborts; Unanswered when it may be given up; whatever else will not pass by itself
 */
export async function askAgain<T>(
  { bus, clock }: { readonly bus: Pick<Bus, 'listen'>; readonly clock: Clock },
  question: () => Question<T>,
  { signal, isOver = () => false }: Patience,
): Promise<T> {
  let askedSince = clock.monotonic();
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const { ask, holder } = question();
    const waiting = waitingOf(signal);
    let isHere = false;
    const listening = bus.listen(`${WorkspaceHere.subject}.${holder}`, WorkspaceHere.body, () => {
      isHere = true;
      waiting.end();
    });
    try {
      return await unless(waiting.over, ask());
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error;
      if (!isUnanswered(error)) askedSince = clock.monotonic();
      if (clock.monotonic() - askedSince >= UNANSWERED_MS && isOver()) throw new Unanswered();
      await rest(pauseMs, waiting.over);
      pauseMs = wasRefused(error) ? Math.min(2 * pauseMs, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
      if (isHere) await pause(Math.random() * SPREAD_MS, undefined, { signal }).catch(() => undefined);
    } finally {
      listening.stop();
      waiting.end();
    }
  }
}

/** Nobody has said anything, and the bus could be asked: one that is away says nothing about the workspace. */
const isUnanswered = (error: unknown): boolean => error instanceof NoResponders || error instanceof AnswerTimedOut;

/** The answer came at once: asking again without a pause would be a flood. */
const wasRefused = (error: unknown): boolean => error instanceof NoResponders || error instanceof RemoteProblem;

const isPassing = (error: unknown): boolean =>
  isUnanswered(error) ||
  error instanceof Unavailable ||
  (error instanceof RemoteProblem && (error.remedy === 'retry' || error.code === 'workspace-not-open'));

/** The waiting for one answer. It is over when it is ended, and when the signal aborts. */
function waitingOf(signal: AbortSignal): { readonly over: Promise<void>; readonly end: () => void } {
  let resolve = (): void => undefined;
  const over = new Promise<void>((resolveOver) => {
    resolve = resolveOver;
  });
  const end = (): void => {
    signal.removeEventListener('abort', end);
    resolve();
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end);
  return { over, end };
}

/** The answer; rejects as soon as the waiting is over, while what was asked for goes on. */
const unless = <T>(over: Promise<void>, answer: Promise<T>): Promise<T> =>
  Promise.race([
    answer,
    over.then(() => {
      throw new Unavailable('The workspace has not answered in time.');
    }),
  ]);

/** Resolves after the time, or as soon as the waiting is over. */
async function rest(ms: number, over: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([over, time]);
  clearTimeout(timer);
}
