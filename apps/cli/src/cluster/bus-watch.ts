import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { LOOPBACK } from './ports.js';

/** Between two looks, in milliseconds. */
const LOOK_MS = 5_000;
/** A service tells within five seconds that the bus does not answer it. */
const ANSWER_WITHIN_MS = 10_000;
/** After so many looks in a row at which nobody could use the bus it is started again: about forty seconds. */
const LOOKS_BORNE = 4;

/** What one look has shown. */
export interface Look {
  /** The process of the bus; undefined while there is none. */
  readonly pid: number | undefined;
  /** What each of those who need the bus says of it; undefined when it did not say. */
  readonly served: readonly (boolean | undefined)[];
}

export interface Watching {
  readonly pid: number | undefined;
  /** How many looks in a row nobody was served. */
  readonly unserved: number;
}

/** Looks are counted and not time: a machine that stood still takes nobody's patience. */
export function watched(before: Watching, { pid, served }: Look): Watching {
  if (pid === undefined || pid !== before.pid || served.includes(true)) return { pid, unserved: 0 };
  return served.includes(false) ? { pid, unserved: before.unserved + 1 } : before;
}

export const isStuck = ({ unserved }: Watching): boolean => unserved >= LOOKS_BORNE;

export interface BusWatchParts {
  readonly pid: () => number | undefined;
  /** The health ports of those who need the bus, as far as they are known now. */
  readonly witnesses: () => readonly number[];
  readonly restart: () => void;
}

/**
 * Starts a bus again whose process lives and which serves nobody: it stands still, JetStream does not answer any more, which
 * nats-server 2.9 was seen to do after a full disk, or it answers and stores nothing, as after its files were removed. What it forgets is brought back from the log (law 12).
 */
export async function watchBus({ pid, witnesses, restart }: BusWatchParts, signal: AbortSignal): Promise<void> {
  let watching: Watching = { pid: undefined, unserved: 0 };
  while (!signal.aborted) {
    const served = await Promise.all(witnesses().map(isServed));
    watching = watched(watching, { pid: pid(), served });
    if (isStuck(watching) && !signal.aborted) {
      restart();
      watching = { pid: undefined, unserved: 0 };
    }
    await wait(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
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
