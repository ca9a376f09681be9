import type { Check, Verdict } from '#contracts';
import { inTime } from './in-time.js';
import { count } from './notices.js';

/*
 * What measured values mean. Each function is one question to a deployment: the numbers go in, the answer with its verdict
 * and the way out comes out. Nothing is measured here.
 */

/** A value that was measured, or why it could not be. */
export type Measured<T> = { readonly seen: T } | { readonly unseen: string };

export type Answer = Pick<Check, 'verdict' | 'measured' | 'numbers' | 'wayOut'>;

export const green = (measured: string, numbers: Check['numbers'] = {}): Answer => ({
  verdict: 'green',
  measured,
  numbers,
});

export const alarm = (
  verdict: 'amber' | 'red',
  measured: string,
  wayOut: string,
  numbers: Check['numbers'] = {},
): Answer => ({ verdict, measured, numbers, wayOut });

/** One check: what could not be measured is said as that, never as good. */
export const check = <T>(id: string, question: string, measured: Measured<T>, judge: (value: T) => Answer): Check =>
  'seen' in measured
    ? { id, question, ...judge(measured.seen) }
    : { id, question, verdict: 'not-seen', measured: measured.unseen, numbers: {} };

const ORDER: readonly Verdict[] = ['green', 'not-seen', 'amber', 'red'];

/** The worst of several verdicts; what was not seen is no worse than a doubt. */
export const worst = (checks: readonly Pick<Check, 'verdict'>[]): Verdict =>
  checks.reduce<Verdict>(
    (known, { verdict }) => (ORDER.indexOf(verdict) > ORDER.indexOf(known) ? verdict : known),
    'green',
  );

/** Milliseconds above which a part is slow, and above which it is of no use. */
interface Bounds {
  readonly slowMs: number;
  readonly uselessMs: number;
}

const LOG_BOUNDS: Bounds = { slowMs: 200, uselessMs: 2_000 };
const APPEND_BOUNDS: Bounds = { slowMs: 250, uselessMs: 2_000 };
const BUS_BOUNDS: Bounds = { slowMs: 200, uselessMs: 2_000 };

/** Round trips to something that everything needs; `failed` says why there is no answer. */
export type Trips = { readonly tripsMs: readonly number[] } | { readonly failed: string };

function judgeTrips(what: string, trips: Trips, { slowMs, uselessMs }: Bounds, wayOut: string): Answer {
  if ('failed' in trips) return alarm('red', `${what} does not answer: ${trips.failed}`, wayOut);
  const sorted = trips.tripsMs.toSorted((a, b) => a - b);
  const medianMs = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const slowestMs = sorted.at(-1) ?? 0;
  const measured = `${what} answers in ${inTime(medianMs)} (median of ${sorted.length}, the slowest ${inTime(slowestMs)}).`;
  const numbers = { medianMs, slowestMs };
  if (medianMs >= uselessMs) return alarm('red', measured, wayOut, numbers);
  return medianMs >= slowMs ? alarm('amber', measured, wayOut, numbers) : green(measured, numbers);
}

export const judgeLog = (trips: Trips): Answer =>
  judgeTrips(
    'The event log',
    trips,
    LOG_BOUNDS,
    'Look at the event store: is it up, is its disk fast and not full? Nothing is lost while it is away.',
  );

export const judgeBus = (trips: Trips): Answer =>
  judgeTrips(
    'The bus',
    trips,
    BUS_BOUNDS,
    'Look at nats-server: is it up, with JetStream and room on its disk? Runs stand still until it is back; nothing is lost.',
  );

export const judgeGateway = (trips: Trips): Answer =>
  judgeTrips(
    'The gateway',
    trips,
    LOG_BOUNDS,
    'Check the address and that it runs (`npx baton ps` shows a local cluster, `npx baton up` starts it). Runs go on without it.',
  );

/** A test append, read back. */
export type Append =
  | { readonly appendMs: number; readonly readBack: boolean; readonly revision: number }
  | { readonly failed: string };

export function judgeAppend(append: Append): Answer {
  const wayOut = 'Look at the disk of the event store: its room, its speed, and whether it may be written.';
  if ('failed' in append) return alarm('red', `A test append was not taken: ${append.failed}`, wayOut);
  const { appendMs, readBack, revision } = append;
  const numbers = { appendMs, revision };
  if (!readBack)
    return alarm(
      'red',
      `A test append was acknowledged after ${inTime(appendMs)}, and then could not be read.`,
      wayOut,
      numbers,
    );
  const measured = `A test append was acknowledged in ${inTime(appendMs)} and read back (revision ${revision}).`;
  if (appendMs >= APPEND_BOUNDS.uselessMs) return alarm('red', measured, wayOut, numbers);
  return appendMs >= APPEND_BOUNDS.slowMs ? alarm('amber', measured, wayOut, numbers) : green(measured, numbers);
}

/** Waking events of the log that the bus has not been told of. */
export interface Mirroring {
  readonly behind: number;
  /** How long the oldest of them has been in the log. */
  readonly oldestMs: number;
}

const MIRROR_LATE_MS = 2_000;
const MIRROR_DEAD_MS = 30_000;

export function judgeMirror({ behind, oldestMs }: Mirroring): Answer {
  const numbers = { behind, oldestMs };
  if (behind === 0)
    return green('The mirror is at the head of the log: no waking event is missing on the bus.', numbers);
  const measured = `${behind} waking event${behind === 1 ? ' is' : 's are'} in the log and not on the bus, the oldest for ${inTime(oldestMs)}.`;
  const wayOut =
    'Look at the coordinator, which mirrors: is it up, does it reach log and bus? Runs go on by its own look into the log.';
  if (oldestMs >= MIRROR_DEAD_MS) return alarm('red', measured, wayOut, numbers);
  return oldestMs >= MIRROR_LATE_MS ? alarm('amber', measured, wayOut, numbers) : green(measured, numbers);
}

/** Messages that nobody could handle. */
export interface Parking {
  readonly total: number;
  readonly newest?: { readonly subject: string; readonly reason: string; readonly error: string; readonly at: string };
}

export function judgeParked({ total, newest }: Parking): Answer {
  if (total === 0) return green('No message is parked.', { total });
  const last = newest ? ` The newest (${newest.subject}, ${newest.reason}, ${newest.at}): ${newest.error}` : '';
  return alarm(
    'amber',
    `${total} message${total === 1 ? ' is' : 's are'} parked: nobody could handle ${total === 1 ? 'it' : 'them'}.${last}`,
    'Look at them with `npx baton parked`. A parked message is only a doorbell: its run is rung for again by the sweeper.',
    { total },
  );
}

/** Those who take work from the bus; `missing`: nobody ever asked for it there. */
export interface Taking {
  readonly consumer: string;
  readonly state: { readonly pending: number; readonly ackPending: number } | 'missing';
}

export function judgeTaking(taking: readonly Taking[], idleProcesses: number): Answer {
  const missing = taking.filter(({ state }) => state === 'missing').map(({ consumer }) => consumer);
  const pending = taking.reduce((sum, { state }) => sum + (state === 'missing' ? 0 : state.pending), 0);
  const numbers = { pending, missing: missing.length, idleProcesses };
  const wayOut = 'Start the service that takes this work (coordinator, segment-runner), or more of it.';
  if (missing.length > 0) return alarm('red', `Nobody takes work as ${missing.join(' and ')}.`, wayOut, numbers);
  const measured = `${count(pending, 'message')} to be taken; ${idleProcesses} runner processes are free.`;
  return pending > PENDING_MANY || (pending > PENDING_FEW && idleProcesses > 0)
    ? alarm('amber', measured, wayOut, numbers)
    : green(measured, numbers);
}
const PENDING_MANY = 1_000;
const PENDING_FEW = 20;

const MIB = 1_048_576;
const DISK_FULL = 200 * MIB;
const DISK_LOW = 2_048 * MIB;

/** The room on disks, by whose they are. */
export interface Room {
  readonly whose: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export function judgeDisk(rooms: readonly Room[]): Answer {
  const least = rooms.toSorted((a, b) => a.freeBytes - b.freeBytes)[0];
  if (!least) return alarm('red', 'There is no disk.', 'Look at the data folder.');
  const { whose, freeBytes, totalBytes } = least;
  const measured = `${gib(freeBytes)} of ${gib(totalBytes)} are free on the disk of ${whose}.`;
  const wayOut =
    'Free some room or take a larger disk: a full disk stops the log, and with it every run, until there is room.';
  const numbers = { freeBytes, totalBytes };
  if (freeBytes < DISK_FULL) return alarm('red', measured, wayOut, numbers);
  return freeBytes < DISK_LOW ? alarm('amber', measured, wayOut, numbers) : green(measured, numbers);
}

const gib = (bytes: number): string =>
  bytes < 1_024 * MIB ? `${Math.floor(bytes / MIB)} MiB` : `${(bytes / 1_024 / MIB).toFixed(1)} GiB`;

/** Who may read the API key, by the mode of its file; `variable`: it is in the environment. */
export type KeyPlace = { readonly mode: number; readonly file: string } | 'variable';

export function judgeKey(place: KeyPlace): Answer {
  if (place === 'variable') return green('The API key is in an environment variable of the gateway; no file holds it.');
  const { mode, file } = place;
  const octal = (mode & 0o777).toString(8).padStart(3, '0');
  const numbers = { mode: mode & 0o777 };
  const wayOut = `chmod 600 ${file}`;
  if ((mode & 0o007) !== 0)
    return alarm('red', `Everybody on the machine can read the API key (mode ${octal}).`, wayOut, numbers);
  if ((mode & 0o070) !== 0)
    return alarm('amber', `The group of the file can read the API key (mode ${octal}).`, wayOut, numbers);
  return green(`Only its owner can read the API key (mode ${octal}).`, numbers);
}
