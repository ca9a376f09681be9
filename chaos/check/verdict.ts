import type { Facts, Finding } from './facts.js';
import { longestStill, recoveries, type Spread } from './recovery.js';
import { liesOfReport } from './report-lies.js';
import { accountOf } from './run-account.js';
import { liesAbout } from './status-lies.js';
import { liesToViewer } from './viewing-lies.js';

/** What is printed at the end, on one line with `--json`. */
export interface Verdict {
  readonly runs: number;
  readonly finished: number;
  readonly items: number;
  readonly failedItems: number;
  readonly lost: number;
  readonly doubled: number;
  readonly inDoubt: number;
  readonly lies: number;
  /** What happened and the report does not say. */
  readonly untold: number;
  readonly samples: number;
  readonly viewers: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly recovery: Readonly<Record<string, Spread>>;
  readonly longestStillMs: number;
}

export function judge(facts: Facts): { readonly verdict: Verdict; readonly findings: readonly Finding[] } {
  const accounts = facts.runs.map((run) => accountOf(run));
  const samples = byRun(facts.samples);
  const viewings = byRun(facts.viewings);
  const findings = [
    ...accounts.flatMap((account) => account.findings),
    ...facts.runs.flatMap((run) => liesAbout(run, samples.get(run.id) ?? [], facts.absences)),
    ...facts.runs.flatMap((run) => (viewings.get(run.id) ?? []).flatMap((viewing) => liesToViewer(run, viewing))),
    ...liesOfReport(facts),
  ];
  const found = (kind: Finding['kind']): number => findings.filter((finding) => finding.kind === kind).length;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const verdict: Verdict = {
    runs: facts.runs.length,
    finished: accounts.filter(({ finished }) => finished).length,
    items: sum(facts.runs.map(({ items }) => items.length)),
    failedItems: sum(accounts.map(({ failedItems }) => failedItems)),
    lost: found('lost'),
    doubled: found('doubled'),
    inDoubt: sum(accounts.map(({ inDoubt }) => inDoubt)),
    lies: found('lie'),
    untold: found('untold'),
    samples: facts.samples.length,
    viewers: facts.viewings.length,
    faults: countsOf(facts.injections.map(({ kind }) => kind)),
    recovery: recoveries(facts.runs, facts.injections),
    longestStillMs: longestStill(facts.runs),
  };
  return { verdict, findings };
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function byRun<T extends { readonly run: string }>(all: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(one.run);
    if (group) group.push(one);
    else groups.set(one.run, [one]);
  }
  return groups;
}
