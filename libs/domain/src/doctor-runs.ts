import { type Caps, type Holding, type Moment, millisOf, type RunId, type SomeCaps } from '#contracts';
import { type Answer, alarm, green } from './doctor.js';
import { inTime } from './in-time.js';
import { count } from './notices.js';
import type { Run } from './run.js';

const NAMED = 3;
const named = (all: readonly string[]): string =>
  `${all.slice(0, NAMED).join(', ')}${all.length > NAMED ? ` and ${all.length - NAMED} more` : ''}`;

/** Open runs that were folded twice: from their first event, and from their newest note. */
export interface Rebuilding {
  readonly open: number;
  readonly rebuilt: number;
  readonly fromNotes: number;
  /** Requests to the model whose digests were compared. */
  readonly requests: number;
  readonly tookMs: number;
  readonly faults: readonly { readonly run: RunId; readonly fault: string }[];
}

export function judgeRebuilding({ open, rebuilt, fromNotes, requests, tookMs, faults }: Rebuilding): Answer {
  const numbers = { open, rebuilt, fromNotes, requests, tookMs, faults: faults.length };
  if (faults.length > 0) {
    const told = named(faults.map(({ run, fault }) => `${run} (${fault})`));
    return alarm(
      'red',
      `${faults.length} of ${rebuilt} open runs cannot be rebuilt as they are: ${told}.`,
      'Look with `npx baton verify RUN` and `npx baton replay RUN`; the log is the truth, a wrong note is passed over by raising its version.',
      numbers,
    );
  }
  if (open === 0) return green('No run is open.', numbers);
  const some = rebuilt < open ? ` (of ${open}; the time for this check was over)` : '';
  return green(
    `${count(rebuilt, 'open run')}${some} rebuilt from the log in ${inTime(tookMs)}, ${fromNotes} of them again from their notes with the same result; ${count(requests, 'request')} to the model rebuilt, digest for digest.`,
    numbers,
  );
}

/** Whose caps they are, and whether money is counted at all. */
export interface Capped {
  readonly who: string;
  readonly caps: Caps;
  /** It has worked for a price that nobody knows, so that `dollars` does not bind. */
  readonly withoutPrice: boolean;
}

/** No cap of this size is ever reached. */
const ENDLESS = 1e12;

export function judgeCaps(capped: readonly Capped[], maxima: SomeCaps): Answer {
  const endless = capped.flatMap(({ who, caps }) =>
    over(caps, (limit) => !Number.isFinite(limit) || limit >= ENDLESS).map((cap) => `caps.${cap} of ${who}`),
  );
  const above = capped.flatMap(({ who, caps }) =>
    over(caps, (limit, cap) => limit > (maxima[cap] ?? Number.POSITIVE_INFINITY)).map((cap) => `caps.${cap} of ${who}`),
  );
  const free = capped.filter(({ withoutPrice }) => withoutPrice).map(({ who }) => who);
  const numbers = {
    looked: capped.length,
    endless: endless.length,
    aboveMaxima: above.length,
    withoutPrice: free.length,
  };
  if (endless.length > 0)
    return alarm(
      'red',
      `${endless.length} limits are so high that they are none: ${named(endless)}.`,
      'Apply the agent with lower caps, and set BATON_MAX_CAPS of the gateway.',
      numbers,
    );
  if (above.length > 0)
    return alarm(
      'amber',
      `${above.length} limits are above what this server allows now: ${named(above)}.`,
      'Apply the agent with lower caps; runs under way keep theirs until they end.',
      numbers,
    );
  if (free.length > 0)
    return alarm(
      'amber',
      `The price of the model is not known for ${named(free)}: caps.dollars does not bind there, caps.tokens does.`,
      'Add the model to the prices file of the segment-runner (BATON_PRICES).',
      numbers,
    );
  const limits = Object.keys(maxima).length;
  return green(
    `The caps of all agents and open runs (${capped.length}) are finite${limits > 0 ? `, and within the maxima of this server (${limits})` : '; this server sets no maxima of its own (BATON_MAX_CAPS)'}.`,
    numbers,
  );
}

const over = (caps: Caps, isOver: (limit: number, cap: keyof Caps) => boolean): (keyof Caps)[] =>
  (Object.keys(caps) as (keyof Caps)[]).filter((cap) => isOver(caps[cap], cap));

/** Something that is kept at work, and what the log says of its run. */
export interface Kept {
  readonly holding: Holding;
  readonly who: string;
  readonly run: Pick<Run, 'relay' | 'since'> | undefined;
}

/** What ends with a run is gone within this time; tidying comes every half minute. */
const TIDIED_MS = 90_000;

export function judgeKept(kept: readonly Kept[], idleProcesses: number, now: Moment): Answer {
  const found = kept.map((one) => ({ ...one, why: uselessness(one, millisOf(now)) }));
  const wasted = found.filter(({ why }) => why === 'over');
  const resting = found.filter(({ why }) => why === 'resting');
  const numbers = { kept: kept.length, wasted: wasted.length, resting: resting.length, idleProcesses };
  const told = (some: readonly Kept[]): string =>
    named(some.map(({ holding, who }) => `${holding.what} of run ${holding.runId} at ${who}`));
  if (wasted.length > 0)
    return alarm(
      'red',
      `${count(wasted.length, 'thing')} kept for runs that do not work any more: ${told(wasted)}.`,
      'Look at the log of that service; a restart of it lets go of what nobody needs. Files stay.',
      numbers,
    );
  if (resting.length > 0)
    return alarm(
      'amber',
      `${count(resting.length, 'thing')} kept at work for runs that rest: ${told(resting)}.`,
      'Answer or end these runs (`npx baton report` shows what they wait for).',
      numbers,
    );
  return green(
    `${kept.length} segments, calls and servers are at work, each for a run that works; ${idleProcesses} runner processes are kept ready.`,
    numbers,
  );
}

function uselessness({ holding, run }: Kept, now: number): 'over' | 'resting' | undefined {
  if (run === undefined) return 'over';
  const { relay, since } = run;
  const isLong = now - millisOf(since) > TIDIED_MS;
  if (holding.what === 'segment') {
    const works = (relay.phase === 'working' || relay.phase === 'scheduled') && relay.segment === holding.segment;
    return works || !isLong ? undefined : 'over';
  }
  if (relay.phase === 'ended') return isLong ? 'over' : undefined;
  return relay.phase === 'resting' && isLong ? 'resting' : undefined;
}

/** What the gateway told of runs, against the log's own end a moment before. */
export interface Truth {
  readonly compared: number;
  /** Events that were in the log and not in what was told. */
  readonly behind: readonly { readonly run: RunId; readonly events: number }[];
  readonly slowestMs: number;
}

export function judgeTruth({ compared, behind, slowestMs }: Truth): Answer {
  const numbers = { compared, behind: behind.length, slowestMs };
  if (behind.length > 0)
    return alarm(
      'red',
      `What the gateway tells of ${named(behind.map(({ run, events }) => `${run} (${events} events behind)`))} is older than the log.`,
      'Restart the gateway, and tell its authors: a status is made from the log when it is asked for.',
      numbers,
    );
  return green(
    compared === 0
      ? 'No run is open.'
      : `${compared} shown statuses, each made from the very end of the log, the slowest in ${inTime(slowestMs)}.`,
    numbers,
  );
}

/** Open runs for which somebody should act, and since when. */
export interface Untended {
  readonly open: number;
  readonly waiting: readonly { readonly run: RunId; readonly for: 'coordinator' | 'runner'; readonly ms: number }[];
}

/** The longest back-off between restarts is a minute. */
const UNTENDED_RED_MS = 120_000;
const UNTENDED_MS = 30_000;

export function judgeUntended({ open, waiting }: Untended): Answer {
  const late = waiting.filter(({ ms }) => ms >= UNTENDED_MS).toSorted((a, b) => b.ms - a.ms);
  const [worst] = late;
  const numbers = { open, late: late.length, longestMs: worst?.ms ?? 0 };
  if (!worst) return green(`${count(open, 'open run')}, and none waits for anybody but people.`, numbers);
  const measured = `${late.length} of ${count(open, 'open run')} without a reaction, the longest (${worst.run}) for ${inTime(worst.ms)} for ${worst.for === 'runner' ? 'a runner' : 'the coordinator'}.`;
  const runners = late.every((one) => one.for === 'runner');
  const wayOut = runners
    ? 'Start more segment-runners, or wait: the house is full.'
    : 'Look at the coordinator: is it up, does it reach the log?';
  // A full house is slow, but it is not broken.
  return alarm(worst.ms >= UNTENDED_RED_MS && !runners ? 'red' : 'amber', measured, wayOut, numbers);
}

/** Runs that need a person. */
export interface Waiting {
  readonly questions: readonly { readonly run: RunId; readonly since: Moment; readonly until: Moment }[];
  readonly halted: readonly { readonly run: RunId; readonly since: Moment }[];
}

export function judgeWaiting({ questions, halted }: Waiting, now: Moment): Answer {
  const all = [...questions, ...halted];
  const ages = all.map(({ since }) => millisOf(now) - millisOf(since));
  const longestMs = Math.max(0, ...ages);
  const numbers = { questions: questions.length, halted: halted.length, longestMs };
  if (all.length === 0) return green('No run waits for a person.', numbers);
  const soonest = questions.toSorted((a, b) => millisOf(a.until) - millisOf(b.until))[0];
  const expires = soonest ? ` The next question expires at ${soonest.until}.` : '';
  return alarm(
    'amber',
    `${count(questions.length, 'question')} and ${count(halted.length, 'halted run')} wait for a person, the longest for ${inTime(longestMs)}.${expires}`,
    '`npx baton report` lists them with the commands to type.',
    numbers,
  );
}
