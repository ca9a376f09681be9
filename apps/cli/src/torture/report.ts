import type { Finding } from './finding.js';
import { idOf, inWords, type Moments, type Point } from './points.js';
import type { Case, Tortured } from './torture.js';
import type { UnsafeCall } from './verdict.js';

/** The one object that `baton torture --json` prints. */
export interface TortureReport {
  readonly agent: string;
  /** Of the first round; each further one has the next. */
  readonly seed: number;
  /** How many were played, the same point with another seed counted again. */
  readonly points: number;
  /** How many points the run has. */
  readonly available: number;
  /** How many of them were not played. */
  readonly untried: number;
  /** How many were played whose moment did not come: the run was over before. */
  readonly missed: number;
  readonly lost: number;
  readonly doubled: number;
  readonly changed: number;
  readonly findings: readonly (Found & { readonly kind: Finding['kind']; readonly sentence: string })[];
  readonly unsafe: readonly UnsafeTool[];
  readonly leftOut: readonly string[];
  readonly cases: readonly {
    readonly point: string;
    readonly seed: number;
    readonly moment: string;
    readonly struck: boolean;
    readonly ms: number;
  }[];
  /** It was stopped before all was played. */
  readonly stopped: boolean;
  readonly seconds: number;
}

/** Where something was found, and the command that plays just that again. */
interface Found {
  readonly point: string;
  readonly seed: number;
  readonly moment: string;
  readonly repeat: string;
}

/** A tool whose calls can be left in doubt; found at the first of them, if possible at its own call. */
interface UnsafeTool extends Found {
  readonly tool: string;
  readonly callId: string;
  /** How many of its calls were, in all points. */
  readonly calls: number;
  readonly why: string;
  readonly settledBy: UnsafeCall['settledBy'];
  readonly wayOut: string;
}

export interface Told {
  readonly agent: string;
  /** The command line that tortures the same agent with the same work, without `--seed` and `--point`. */
  readonly command: string;
  readonly seconds: number;
}

export function reportOn(tortured: Tortured, { agent, command, seconds }: Told): TortureReport {
  const { seed, available, cases, moments, leftOut, isStopped } = tortured;
  const at = ({ point, seed: played }: Case): Found => {
    const id = idOf(point);
    const repeat = `${command} --seed ${played} --point ${id}`;
    return { point: id, seed: played, moment: inWords(point, moments), repeat };
  };
  const findings = cases.flatMap((done) => done.findings.map((finding) => ({ ...at(done), ...finding })));
  const ofKind = (kind: Finding['kind']): number => findings.filter((finding) => finding.kind === kind).length;
  return {
    agent,
    seed,
    points: cases.length,
    available,
    untried: Math.max(0, available - new Set(cases.map(({ point }) => idOf(point))).size),
    missed: cases.filter(({ struck }) => !struck).length,
    lost: ofKind('lost'),
    doubled: ofKind('doubled'),
    changed: ofKind('changed'),
    findings,
    unsafe: unsafeTools(cases, moments, at),
    leftOut,
    cases: cases.map((done) => ({
      point: idOf(done.point),
      seed: done.seed,
      moment: inWords(done.point, moments),
      struck: done.struck,
      ms: Math.round(done.ms),
    })),
    stopped: isStopped,
    seconds,
  };
}

function unsafeTools(cases: readonly Case[], moments: Moments, at: (done: Case) => Found): readonly UnsafeTool[] {
  const calls = cases.flatMap((done) => done.unsafe.map((call) => ({ done, call })));
  return [...new Set(calls.map(({ call }) => call.tool))].flatMap((tool) => {
    const own = calls.filter(({ call }) => call.tool === tool);
    // Calls run side by side: one may be in doubt since another one was struck.
    const first = own.find(({ done }) => isCallOf(tool, done.point, moments)) ?? own[0];
    return first ? [{ ...at(first.done), ...first.call, calls: own.length }] : [];
  });
}

const isCallOf = (tool: string, { kind, place }: Point, { calls }: Moments): boolean =>
  kind.endsWith('-in-call') && calls[place - 1] === tool;

/** Whether nothing of the work was lost, done twice or done otherwise. A tool in doubt is no fault of the relay. */
export const isGood = ({ findings }: TortureReport): boolean => findings.length === 0;

export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** How many points, of how many when some were not played, and how often when some were played again. */
export function pointsIn({ points, available, untried }: TortureReport, what: string): string {
  const distinct = available - untried;
  const times = points > distinct ? ` played ${points} times` : '';
  return `${untried === 0 ? '' : `${distinct} of `}${count(available, what)}${times}`;
}

export function headline(report: TortureReport): string {
  const { lost, doubled, changed, unsafe } = report;
  const tools = unsafe.length === 0 ? '' : `: ${unsafe.map(({ tool }) => tool).join(', ')}`;
  return [
    pointsIn(report, 'crash point'),
    `${lost} lost`,
    `${doubled} doubled`,
    ...(changed === 0 ? [] : [`${changed} changed`]),
    `${count(unsafe.length, 'tool')} not safe to repeat${tools}`,
  ].join(', ');
}

/** For people, a line for each thing that there is to say. */
export function reportInWords(report: TortureReport): string {
  const { findings, unsafe, leftOut } = report;
  return [
    headline(report),
    ...findings.flatMap(({ kind, sentence, moment, repeat }) => [
      '',
      `${kind}: ${sentence}`,
      `  at       ${moment}`,
      `  again    ${repeat}`,
    ]),
    ...unsafe.flatMap(({ tool, calls, moment, why, settledBy, wayOut, repeat }) => [
      '',
      `not safe to repeat: ${tool} (${count(calls, 'call')} in doubt)`,
      `  at       ${moment}`,
      `  why      ${why} ${settledBy === 'person' ? 'A person was asked.' : 'The model was told.'}`,
      `  way out  ${wayOut}`,
      `  again    ${repeat}`,
    ]),
    '',
    ...extentOf(report),
    ...leftOut.map((what) => `Not compared: ${what}.`),
    'What the tools did outside of their workspaces cannot be seen from here: count it there.',
  ].join('\n');
}

/** How much was played of what there is. */
function extentOf({ available, untried, missed, cases }: TortureReport): readonly string[] {
  const seeds = [...new Set(cases.map(({ seed }) => seed))];
  return [
    ...(untried > 0
      ? [
          `${untried} of the run's ${available} points were not played: --points ${available} plays all of them, another --seed others.`,
        ]
      : [`The run has ${count(available, 'point')}, and all of them were played.`]),
    ...(seeds.length > 1 ? [`The seeds were ${seeds[0]} to ${seeds.at(-1)}.`] : []),
    ...(missed > 0 ? [`The moments of ${count(missed, 'point')} did not come: their runs were over before.`] : []),
  ];
}
