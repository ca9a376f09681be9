import { SERVICES, type ServiceAnswer } from '#contracts';
import { type Answer, alarm, green } from './doctor.js';
import { inTime } from './in-time.js';
import { count } from './notices.js';

/** A service's answer, and how long it took. */
export interface Present {
  readonly answer: ServiceAnswer;
  readonly afterMs: number;
}

export function judgeServices(present: readonly Present[]): Answer {
  const counts = SERVICES.map(
    (name) => [name, present.filter(({ answer }) => answer.service === name).length] as const,
  );
  const numbers = Object.fromEntries(counts);
  const missing = counts.filter(([, up]) => up === 0).map(([name]) => name);
  const measured = `${counts.map(([name, up]) => `${up} ${name}`).join(', ')}.`;
  if (missing.length > 0)
    return alarm(
      'red',
      `No ${missing.join(', no ')} answers. There: ${measured}`,
      'Start what is missing; `npx baton ps` shows a local cluster.',
      numbers,
    );
  const single = counts.filter(([, up]) => up === 1).map(([name]) => name);
  const hosts = new Set(present.map(({ answer }) => answer.host)).size;
  if (single.length === 0) return green(measured, numbers);
  // On one machine a second process saves little: what starts the first one again is as fast.
  if (hosts === 1)
    return green(`${measured} All on one machine, where one of each does: it is started again when it dies.`, numbers);
  return alarm(
    'amber',
    `${measured} There is one ${single.join(', one ')} only.`,
    'Start a second one of each on another machine, so that no machine is missed.',
    numbers,
  );
}

/** @param versions of whom, e.g. the services and this command */
export function judgeVersions(versions: readonly { readonly who: string; readonly version: string }[]): Answer {
  const known = [...new Set(versions.map(({ version }) => version))];
  const numbers = { versions: known.length };
  if (known.length <= 1) return green(`All ${versions.length} processes are of version ${known[0] ?? '?'}.`, numbers);
  const of = (version: string): string =>
    [...new Set(versions.filter((one) => one.version === version).map(({ who }) => who))].join(', ');
  const told = known.map((version) => `${version}: ${of(version)}`);
  return alarm(
    'red',
    `Processes of ${known.length} versions are at work (${told.join('; ')}).`,
    'End the deployment that is under way, or start again what was left behind.',
    numbers,
  );
}

/** How far a clock is from ours, and how sure that is: half of the time that the question and its answer took. */
export interface Skew {
  readonly who: string;
  readonly skewMs: number;
  readonly unsureMs: number;
}

const SKEW_AMBER_MS = 1_000;
const SKEW_RED_MS = 10_000;

export function judgeClocks(skews: readonly Skew[]): Answer {
  const certain = skews.map((skew) => ({ ...skew, leastMs: Math.max(0, Math.abs(skew.skewMs) - skew.unsureMs) }));
  const most = certain.toSorted((a, b) => b.leastMs - a.leastMs)[0];
  if (!most) return green('There is no other clock.');
  const numbers = { mostMs: Math.round(most.leastMs), clocks: skews.length };
  const wayOut =
    'Let NTP set the clocks: deadlines and back-offs are compared across machines. No death is declared by them.';
  const measured =
    most.leastMs < 1
      ? `${count(skews.length, 'clock')} and ours agree as far as can be measured.`
      : `The clock of ${most.who} is ${inTime(most.leastMs)} ${most.skewMs > 0 ? 'ahead' : 'behind'} at least; the other ${skews.length - 1} are closer.`;
  if (most.leastMs >= SKEW_RED_MS) return alarm('red', measured, wayOut, numbers);
  return most.leastMs >= SKEW_AMBER_MS ? alarm('amber', measured, wayOut, numbers) : green(measured, numbers);
}

/** What is known of how death is noticed. */
export interface Noticing {
  readonly sweepers: readonly NonNullable<ServiceAnswer['watch']>[];
  /** Segments at work by the log, and for how long each was silent as the gateway heard; without those it cannot judge. */
  readonly liveSegments: number;
  readonly silentMs: readonly number[];
  /** By how much silence deaths were noticed, the newest ones in the log. */
  readonly noticedMs: readonly number[];
}

const SILENCE_LONG_MS = 15_000;
/** Ticks, a look into the log and the declaration itself take this long at most. */
const DECLARING_MS = 5_000;

export function judgeNoticing({ sweepers, liveSegments, silentMs, noticedMs }: Noticing): Answer {
  const hearing = sweepers.filter(({ hearingMs }) => hearingMs !== undefined);
  const allowedMs = Math.min(...hearing.map(({ silenceMs }) => silenceMs));
  const quietestMs = Math.max(0, ...silentMs);
  const numbers = { sweepers: sweepers.length, hearing: hearing.length, liveSegments, quietestMs };
  const wayOut = 'Start a sweeper that reaches the bus: without one a machine that vanishes is never noticed.';
  if (hearing.length === 0) {
    return alarm(
      'red',
      sweepers.length === 0 ? 'No sweeper answers: nobody notices a silent death.' : 'No sweeper can hear heartbeats.',
      wayOut,
      numbers,
    );
  }
  if (quietestMs > allowedMs + DECLARING_MS) {
    return alarm(
      'red',
      `A segment that is at work by the log was silent for ${inTime(quietestMs)}, and nobody has declared it dead after ${inTime(allowedMs)}.`,
      'Look at the logs of sweeper and event store.',
      { ...numbers, allowedMs },
    );
  }
  const watched = Math.max(...hearing.map(({ segments }) => segments));
  const past =
    noticedMs.length === 0
      ? 'No silent death is in the log yet.'
      : `The last ${count(noticedMs.length, 'silent death')} in the log: declared after ${inTime(Math.max(...noticedMs))} of silence at most.`;
  const heard = silentMs.length === 0 ? '' : `, the quietest heard ${inTime(quietestMs)} ago`;
  const measured = `After ${inTime(allowedMs)} of silence, sooner when nobody answers. ${hearing.length} sweeper${hearing.length === 1 ? '' : 's'} hear${hearing.length === 1 ? 's' : ''} ${count(watched, 'segment')}${heard}. ${past}`;
  const all = { ...numbers, allowedMs, watched };
  if (allowedMs > SILENCE_LONG_MS) return alarm('amber', measured, 'Lower BATON_SILENCE_MS of the sweeper.', all);
  return green(measured, all);
}

/** Whether what starts the services of a local cluster again still lives. */
export const judgeKeeper = (lives: boolean): Answer =>
  lives
    ? green('`baton up` lives: it starts each service again that dies.')
    : alarm(
        'red',
        'The process of `baton up` is gone: the services work on, and none is started again when it dies.',
        'Run `npx baton up` on this data folder: it takes over, and every run goes on by the log.',
      );
