import { type Finding, type Moment, millisOf, type Need, type Report, type RunAccount, type RunId } from '#contracts';
import { accountOf, type Ledger } from './account.js';
import { isFree } from './money.js';
import { needsOf } from './needs.js';
import { storiesOf } from './stories.js';

/** What a report is made of, besides the runs. */
export interface Around {
  readonly since: Moment;
  readonly until: Moment;
  readonly findings: readonly Finding[];
  /** Runs that cannot be read. */
  readonly unreadable: readonly { readonly run: RunId; readonly reason: string }[];
  /** Runs that were left out. */
  readonly leftRuns: number;
}

/** The report of what happened since a moment. */
export function reportOf(ledgers: ReadonlyMap<RunId, Ledger>, around: Around): Report {
  const { since, until, findings, unreadable, leftRuns } = around;
  const runs = [...ledgers].flatMap(([run, ledger]) => accountOf(run, ledger, until) ?? []);
  const happenings = runs.flatMap(({ run, incidents }) => incidents.map((incident) => ({ run, incident })));
  const needs = [
    ...unreadable.map(unreadableOf(until)),
    ...[...ledgers].flatMap(([run, ledger]) => needsOf(run, ledger, until)),
  ].toSorted(byUrgency);
  return {
    since,
    until,
    headline: { ...headlineOf(runs, [...ledgers.values()]), needs: needs.length + waitingFindings(findings) },
    needs,
    stories: [...storiesOf(happenings)],
    findings: [...findings],
    runs,
    left: { runs: leftRuns },
  };
}

const waitingFindings = (findings: readonly Finding[]): number =>
  findings.filter(({ needsPerson }) => needsPerson).length;

const unreadableOf =
  (until: Moment) =>
  ({ run, reason }: { readonly run: RunId; readonly reason: string }): Need => ({
    kind: 'unreadable',
    run,
    since: until,
    sentence: `The log of this run cannot be read: ${reason}`,
    commands: [`npx baton events ${run}`],
  });

/** What expires comes first, the soonest at the top; then what has waited longest. */
const byUrgency = (a: Need, b: Need): number =>
  (a.until === undefined ? Number.POSITIVE_INFINITY : millisOf(a.until)) -
    (b.until === undefined ? Number.POSITIVE_INFINITY : millisOf(b.until)) || millisOf(a.since) - millisOf(b.since);

function headlineOf(runs: readonly RunAccount[], ledgers: readonly Ledger[]): Omit<Report['headline'], 'needs'> {
  const ended = (status: RunAccount['status']): number => runs.filter((one) => one.status === status).length;
  const sum = (of: (ledger: Ledger) => number): number => ledgers.reduce((total, ledger) => total + of(ledger), 0);
  const deaths = runs.flatMap(({ incidents }) => incidents.filter(({ kind }) => kind === 'death'));
  const longest = longestOf(runs);
  return {
    runs: runs.length,
    completed: ended('completed'),
    failed: ended('failed'),
    halted: ended('halted'),
    cancelled: ended('cancelled'),
    open: runs.filter(({ endedAt }) => endedAt === undefined).length,
    itemsDone: sum(({ itemsDone }) => itemsDone),
    itemsFailed: sum(({ itemsFailed }) => itemsFailed),
    segments: sum(({ started }) => started),
    steps: sum(({ steps }) => steps),
    deaths: sum((ledger) => ledger.deaths),
    deathsHealed: deaths.filter(({ outcome }) => outcome === 'healed').reduce((total, { times }) => total + times, 0),
    ...(longest ? { longestWithoutProgress: longest } : {}),
    dollars: sum(({ microDollars }) => microDollars) / 1_000_000,
    runsWithoutPrice: ledgers.filter(({ run, steps }) => steps > 0 && run?.price === null && !isFree(run)).length,
  };
}

function longestOf(runs: readonly RunAccount[]): Report['headline']['longestWithoutProgress'] {
  const stood = runs.flatMap(({ run, incidents }) =>
    incidents.flatMap(({ withoutProgressMs: ms }) => (ms === undefined ? [] : [{ ms, run }])),
  );
  return stood.toSorted((a, b) => b.ms - a.ms)[0];
}
