import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { LOOPBACK } from './ports.js';

/** Between two looks at a bus that serves, and at one that does not; milliseconds. */
const LOOK_MS = 5_000;
const LOOK_AGAIN_MS = 1_000;
/** A service tells within five seconds that the bus does not answer it. */
const ANSWER_WITHIN_MS = 10_000;
/** At so many looks in a row somebody could not use the bus: it is started again, after 6 to 16 seconds. */
const LOOKS_BORNE = 2;
/** Where that was in vain twice and more, as on a disk that stays full, the patience is doubled each time, up to some minutes. */
const MOST_DOUBLINGS = 4;
/** It was not in vain when all are served at so many looks more: 10 seconds after it, in which storing nothing is noticed. */
const LOOKS_SERVED = 2;

/** What one look has shown. */
export interface Look {
  /** The process of the bus; undefined while there is none that is ready. */
  readonly pid: number | undefined;
  /** What each of those who need the bus says of it; undefined when it did not say. */
  readonly served: readonly (boolean | undefined)[];
}

export interface Watching {
  readonly pid: number | undefined;
  /** How many looks in a row somebody was not served. */
  readonly unserved: number;
  /** How many looks in a row all were who said something. */
  readonly served: number;
  /** How often it was started again without having served for a while since. */
  readonly inVain: number;
}

export const UNWATCHED: Watching = { pid: undefined, unserved: 0, served: 0, inVain: 0 };

/**
 * One who is not served is enough: a bus whose files were removed may serve those whom it knows, and nobody who comes later.
 * Looks are counted and not time: a machine that stood still takes nobody's patience.
 */
export function watched(before: Watching, { pid, served }: Look): Watching {
  if (pid === undefined || pid !== before.pid) return { ...UNWATCHED, pid, inVain: before.inVain };
  if (served.includes(false)) return { ...before, unserved: before.unserved + 1, served: 0 };
  if (!served.includes(true)) return before;
  const looks = before.served + 1;
  return { pid, unserved: 0, served: looks, inVain: looks < LOOKS_SERVED ? before.inVain : 0 };
}

export const startedAgain = ({ inVain }: Watching): Watching => ({ ...UNWATCHED, inVain: inVain + 1 });

export const isStuck = ({ unserved, inVain }: Watching): boolean =>
  unserved >= LOOKS_BORNE * 2 ** Math.min(Math.max(0, inVain - 1), MOST_DOUBLINGS);

export interface BusWatchParts {
  /** The process of the bus; undefined while there is none that is ready. */
  readonly pid: () => number | undefined;
  /** The health ports of those who need the bus, as far as they are known now. */
  readonly witnesses: () => readonly number[];
  readonly restart: () => void;
}

/**
 * Starts a bus again whose process lives and which does not serve all: it stands still; JetStream does not answer any more,
 * since nats-server 2.9 waits for itself after a write that found its disk full; it answers and stores nothing; or it serves
 * only those whom it knows, as after its files were removed. What it forgets is brought back from the log (law 12).
 */
export async function watchBus({ pid, witnesses, restart }: BusWatchParts, signal: AbortSignal): Promise<void> {
  let watching = UNWATCHED;
  while (!signal.aborted) {
    const served = await Promise.all(witnesses().map(isServed));
    watching = watched(watching, { pid: pid(), served });
    if (isStuck(watching) && !signal.aborted) {
      restart();
      watching = startedAgain(watching);
    }
    const untilNext = watching.unserved > 0 ? LOOK_AGAIN_MS : LOOK_MS;
    await wait(untilNext, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

const Readiness = z.object({ problems: z.record(z.string(), z.string()) });

/** Whether the service at this port can use the bus, by its own word. */
async function isServed(port: number): Promise<boolean | undefined> {
  try {
    const answer = await fetch(`http://${LOOPBACK}:${port}/health/ready`, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    return !('bus' in Readiness.parse(await answer.json()).problems);
  } catch {
    return undefined;
  }
}
