import type { Finding } from './finding.js';
import { idOf, inWords } from './points.js';
import type { Case, Tortured } from './torture.js';
import type { UnsafeCall } from './verdict.js';

/** The one object that `baton torture --json` prints. */
export interface TortureReport {
  readonly agent: string;
  readonly seed: number;
  /** How many points were tried. */
  readonly points: number;
  readonly available: number;
  /** Points whose moment did not come: the run was over before. */
  readonly missed: number;
  readonly lost: number;
  readonly doubled: number;
  readonly changed: number;
  readonly findings: readonly {
    readonly point: string;
    readonly seed: number;
    readonly kind: Finding['kind'];
    readonly moment: string;
    readonly sentence: string;
    readonly repeat: string;
  }[];
  readonly unsafe: readonly UnsafeTool[];
  readonly leftOut: readonly string[];
  readonly cases: readonly { readonly point: string; readonly moment: string; readonly ms: number }[];
  readonly seconds: number;
}

/** A tool whose calls can be left in doubt. */
interface UnsafeTool {
  readonly tool: string;
  readonly callId: string;
  /** How many of its calls were, in all points. */
  readonly calls: number;
  /** The first of them. */
  readonly point: string;
  readonly seed: number;
  readonly moment: string;
  readonly why: string;
  readonly settledBy: UnsafeCall['settledBy'];
  readonly wayOut: string;
  readonly repeat: string;
}

export interface Told {
  readonly agent: string;
  /** The command line that tortures the same agent with the same work, without `--seed` and `--point`. */
  readonly command: string;
  readonly seconds: number;
}

export function reportOn(tortured: Tortured, { agent, command, seconds }: Told): TortureReport {
  const { seed, available, cases, moments, leftOut } = tortured;
  const at = ({ point }: Case) => {
    const id = idOf(point);
    return { point: id, seed, moment: inWords(point, moments), repeat: `${command} --seed ${seed} --point ${id}` };
  };
  const findings = cases.flatMap((done) => done.findings.map((finding) => ({ ...at(done), ...finding })));
  const ofKind = (kind: Finding['kind']): number => findings.filter((finding) => finding.kind === kind).length;
  const unsafeCalls = cases.flatMap((done) => done.unsafe.map((call) => ({ ...at(done), ...call })));
  return {
    agent,
    seed,
    points: cases.length,
    available,
    missed: cases.filter(({ struck }) => !struck).length,
    lost: ofKind('lost'),
    doubled: ofKind('doubled'),
    changed: ofKind('changed'),
    findings,
    unsafe: [...new Set(unsafeCalls.map(({ tool }) => tool))].flatMap((tool) => {
      const calls = unsafeCalls.filter((call) => call.tool === tool);
      return calls.slice(0, 1).map((first) => ({ ...first, calls: calls.length }));
    }),
    leftOut,
    cases: cases.map((done) => ({
      point: idOf(done.point),
      moment: inWords(done.point, moments),
      ms: Math.round(done.ms),
    })),
    seconds,
  };
}

/** Whether nothing of the work was lost, done twice or done otherwise. A tool in doubt is no fault of the relay. */
export const isGood = ({ findings }: TortureReport): boolean => findings.length === 0;

export function headline({ points, lost, doubled, changed, unsafe }: TortureReport): string {
  const tools = unsafe.length === 0 ? '' : `: ${unsafe.map(({ tool }) => tool).join(', ')}`;
  return [
    count(points, 'crash point'),
    `${lost} lost`,
    `${doubled} doubled`,
    ...(changed === 0 ? [] : [`${changed} changed`]),
    `${count(unsafe.length, 'tool')} not safe to repeat${tools}`,
  ].join(', ');
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** For people, a line for each thing that there is to say. */
export function reportInWords(report: TortureReport): string {
  const { findings, unsafe, leftOut, missed, available, points, seed } = report;
  const others = available - points;
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
    ...(others > 0
      ? [`${others} further points were not tried: raise --points, or take another --seed than ${seed}.`]
      : []),
    ...(missed > 0 ? [`The moments of ${count(missed, 'point')} did not come: their runs were over before.`] : []),
    ...leftOut.map((what) => `Not compared: ${what}.`),
    'What the tools did outside of their workspaces cannot be seen from here: count it there.',
  ].join('\n');
}
