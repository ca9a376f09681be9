import { isExplained } from './explained.js';
import type { Absence, Facts, Finding, RunFacts } from './facts.js';
import { headlineLies } from './headline-lies.js';
import { isInterrupted, isOfProcess, shiftsOf } from './shifts.js';
import type { ToldIncident, ToldRun } from './told.js';
import { type Evidence, type Trouble, Troubles } from './troubles.js';

/** Moments and lengths of the report and those of the log may differ by this (ms): a process writes when, the log takes it. */
const CLOSE_MS = 1_500;

const EVIDENCE_WORDS: Readonly<Record<Evidence, RegExp>> = {
  crashed: /its supervisor saw it/,
  silence: /gave no sign of life/,
  'no-responders': /nobody answered for it/,
  'process-gone': /its process was not there any more/,
};

/** What only the end of a process leaves behind, in words. */
const ENDS: Readonly<Partial<Record<Evidence, string>>> = {
  crashed: 'a crash',
  'process-gone': 'a process that was gone',
};

/** Compares the report of the session with the log and with what was done by chaos. */
export function liesOfReport({ runs, absences, injections, report }: Facts): readonly Finding[] {
  if (!report) return [];
  const until = Date.parse(report.until);
  const told = new Map(report.runs.map((run) => [run.run, run]));
  const known = runs.map((run) => ({ ...run, events: run.events.filter(({ created }) => created <= until) }));
  const left = known.filter(({ id, events }) => events.length > 0 && !told.has(id));
  const judged = known.flatMap((run) => {
    const one = told.get(run.id);
    return one ? [{ run, told: one, troubles: Troubles.of(run.events, until) }] : [];
  });
  return [
    ...judged.flatMap(({ run, told: one, troubles }) =>
      [
        ...wrong(one, troubles),
        ...missed(run, one, absences),
        ...troubles
          .filter((trouble) => !isExplained(trouble, absences, injections))
          .map((trouble) => lie(`tells of a ${named(trouble)} that no fault explains`)),
        ...troubles.flatMap((trouble) => beforeItsCause(trouble, absences)),
      ].map((finding): Finding => ({ ...finding, run: run.id, what: `the report ${finding.what}` })),
    ),
    ...(left.length === report.left.runs
      ? []
      : [untoldOf(`the report says nothing of ${left.length} runs, and speaks of ${report.left.runs} left out`)]),
    ...headlineLies(report, judged),
  ];
}

const lie = (what: string): Finding => ({ kind: 'lie', what });
const untoldOf = (what: string): Finding => ({ kind: 'untold', what });
const clock = (at: number): string => new Date(at).toISOString().slice(11, 23);
const named = ({ kind, at, segment }: Pick<Trouble, 'kind' | 'at' | 'segment'>): string =>
  `${kind}${segment === undefined ? '' : ` of segment ${segment}`} at ${clock(at)}`;

const fits = (trouble: Trouble, { kind, noticedAt }: ToldIncident): boolean =>
  kind === trouble.kind && isClose(Date.parse(noticedAt), trouble.at);
const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= CLOSE_MS;

interface Paired {
  readonly pairs: readonly (readonly [Trouble, ToldIncident])[];
  /** In the log and not in the report, and the other way round. */
  readonly missing: readonly Trouble[];
  readonly invented: readonly ToldIncident[];
}

function paired({ incidents }: ToldRun, troubles: readonly Trouble[]): Paired {
  const invented = [...incidents];
  const missing: Trouble[] = [];
  const pairs = troubles.flatMap((trouble): Paired['pairs'] => {
    const place = invented.findIndex((incident) => fits(trouble, incident));
    const [incident] = place < 0 ? [] : invented.splice(place, 1);
    if (incident) return [[trouble, incident]];
    if (!trouble.isShort) missing.push(trouble);
    return [];
  });
  return { pairs, missing, invented };
}

/** What it says, and does not say, of a run against what the log shows. */
function wrong(told: ToldRun, troubles: readonly Trouble[]): readonly Finding[] {
  const { pairs, missing, invented } = paired(told, troubles);
  return [
    // Of very many only the newest are told.
    ...missing.slice(told.moreIncidents).map((trouble) => untoldOf(`says nothing of the ${named(trouble)}`)),
    ...invented.map(({ kind, noticedAt }) => lie(`tells of a ${kind} at ${noticedAt} that the log does not have`)),
    ...pairs.flatMap(([trouble, incident]) =>
      differences(incident, trouble).map((what) => lie(`${what}: the ${named(trouble)}`)),
    ),
  ];
}

function differences(told: ToldIncident, truth: Trouble): readonly string[] {
  const { outcome, times, segment, stillMs, evidence, pid, twiceTokens } = truth;
  const tokens = told.lost?.tokens ?? 0;
  const checks: readonly (readonly [isTrue: boolean, otherwise: string])[] = [
    [told.outcome === outcome, `calls ${told.outcome} what the log shows as ${outcome}`],
    [told.times === times, `counts ${told.times} where the log has ${times}`],
    [isSame(told.segment, segment), `names segment ${told.segment} instead of ${segment}`],
    [stoodAsLong(told, stillMs), `says ${told.withoutProgressMs ?? 'nothing'} of ${stillMs} ms without progress`],
    [
      evidence === undefined || EVIDENCE_WORDS[evidence].test(told.noticed),
      `has other evidence than ${evidence} ("${told.noticed}")`,
    ],
    [isSame(told.runner?.pid, pid), `names process ${told.runner?.pid} instead of ${pid}`],
    [tokens === twiceTokens, `says that ${tokens} tokens were paid twice, where it is ${twiceTokens}`],
    [(told.lost?.dollars ?? 0) === 0, 'says that the simulator was paid twice'],
  ];
  return checks.flatMap(([isTrue, otherwise]) => (isTrue ? [] : [otherwise]));
}

/** What is not said is not wrong. */
const isSame = (told: number | undefined, truth: number | undefined): boolean => told === undefined || told === truth;
const stoodAsLong = ({ withoutProgressMs: told }: ToldIncident, truth: number | undefined): boolean =>
  truth === undefined || (told !== undefined && isClose(told, truth));

/** The process of a segment at work was killed, stopped or cut off for long, and the run's account has no word of it. */
function missed({ events }: RunFacts, { incidents, moreIncidents }: ToldRun, absences: readonly Absence[]) {
  if (moreIncidents > 0) return [];
  const struck = shiftsOf(events).flatMap((shift) =>
    absences.filter((absence) => isInterrupted(shift, absence)).map((absence) => ({ shift, absence })),
  );
  const deaths = incidents.filter(({ kind }) => kind === 'death');
  const isTold = ({ shift, absence }: (typeof struck)[number]): boolean =>
    deaths.some(
      ({ noticedAt, overAt }) =>
        Date.parse(overAt ?? noticedAt) >= absence.from - CLOSE_MS && Date.parse(noticedAt) <= shift.until + CLOSE_MS,
    );
  return struck
    .filter((one) => !isTold(one))
    .map(({ shift, absence: { how, pid, from } }) =>
      untoldOf(`has no word of segment ${shift.segment}, whose process ${pid} was ${how} at ${clock(from)}`),
    );
}

/** Nobody is silent for longer than he has been away; who is only frozen or cut off has neither crashed nor gone. */
function beforeItsCause(trouble: Trouble, absences: readonly Absence[]): readonly Finding[] {
  if (trouble.times > 1) return [];
  const { at, evidence, silentMs = 0, pid, begunAt } = trouble;
  const struck = absences.filter((absence) => isOfProcess(absence, pid, begunAt) && absence.from <= at + CLOSE_MS);
  // Who was killed is gone, whatever else is done to him.
  const cause = struck.findLast(({ how }) => how === 'killed') ?? struck.at(-1);
  if (!cause) return [];
  const end = evidence && ENDS[evidence];
  const awayMs = at - cause.from;
  return [
    ...(silentMs > awayMs + CLOSE_MS
      ? [lie(`says that it was silent for ${silentMs} ms, ${awayMs} ms after the fault: the ${named(trouble)}`)]
      : []),
    ...(cause.how !== 'killed' && end !== undefined
      ? [lie(`tells of ${end} where the process was ${cause.how}: the ${named(trouble)}`)]
      : []),
  ];
}
