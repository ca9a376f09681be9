import { ofType } from './calls.js';
import type { Finding, LoggedEvent, RunFacts } from './facts.js';
import type { ToldHeadline, ToldReport, ToldRun } from './told.js';
import type { Trouble } from './troubles.js';

/** Lengths may differ by this, milliseconds. */
const CLOSE_MS = 1_500;

type Counts = Omit<ToldHeadline, 'longestWithoutProgress' | 'needs'>;

interface Judged {
  readonly run: RunFacts;
  readonly told: ToldRun;
  readonly troubles: readonly Trouble[];
}

/** The sums at the head of the report, the needs and the stories, each against the runs' logs. */
export function headlineLies(report: ToldReport, judged: readonly Judged[]): readonly Finding[] {
  const found = [...sumLies(report, judged), ...needLies(report, judged), ...storyLies(report)];
  return found.map((what): Finding => ({ kind: 'lie', what: `the report ${what}` }));
}

function sumLies({ headline }: ToldReport, judged: readonly Judged[]): readonly string[] {
  const events = judged.flatMap(({ run }) => run.events);
  const count = (...types: readonly string[]): number => ofType(events, ...types).length;
  const troubles = judged.flatMap((one) => one.troubles);
  const deaths = troubles.filter(({ kind }) => kind === 'death');
  const times = (some: readonly Trouble[]): number => some.reduce((sum, one) => sum + one.times, 0);
  const truth: Counts = {
    runs: judged.length,
    completed: count('RunCompleted'),
    failed: count('RunFailed'),
    halted: count('RunHalted'),
    cancelled: count('RunCancelled'),
    open: judged.filter(({ run }) => !hasEnded(run.events)).length,
    itemsDone: count('ItemCompleted'),
    itemsFailed: count('ItemFailed'),
    segments: count('SegmentStarted'),
    steps: count('ModelTurnCompleted'),
    deaths: times(deaths),
    deathsHealed: times(deaths.filter(({ outcome }) => outcome === 'healed')),
    // The simulator costs nothing.
    dollars: 0,
    runsWithoutPrice: 0,
  };
  const longestOf = (some: readonly Trouble[]): number => Math.max(0, ...some.map(({ stillMs = 0 }) => stillMs));
  const [least, most] = [longestOf(troubles.filter(({ isShort }) => !isShort)), longestOf(troubles)];
  const told = headline.longestWithoutProgress?.ms ?? 0;
  return [
    ...(Object.keys(truth) as (keyof Counts)[])
      .filter((word) => headline[word] !== truth[word])
      .map((word) => `counts ${headline[word]} ${word}, where it is ${truth[word]}`),
    ...(told < least - CLOSE_MS || told > most + CLOSE_MS
      ? [`says that the longest time without progress was ${told} ms, where it is ${least}`]
      : []),
  ];
}

const hasEnded = (events: readonly LoggedEvent[]): boolean =>
  ofType(events, 'RunCompleted', 'RunFailed', 'RunCancelled', 'RunHalted').length > 0;

/** Nobody interferes in a session, so a person is needed for what failed or ended early, and for nothing else. */
function needLies({ headline, needs, findings }: ToldReport, judged: readonly Judged[]): readonly string[] {
  const expected = new Set(judged.flatMap(({ run }) => needsOf(run).map((kind) => `${kind} ${run.id}`)));
  const told = needs.map(({ kind, run = '' }) => `${kind} ${run}`);
  const all = needs.length + findings.filter(({ needsPerson }) => needsPerson).length;
  return [
    ...[...expected]
      .filter((need) => !told.includes(need))
      .map((need) => `does not say that a person is needed: ${need}`),
    ...told.filter((need) => !expected.has(need)).map((need) => `asks for a person without need: ${need}`),
    ...(headline.needs === all ? [] : [`counts ${headline.needs} needs and names ${all}`]),
  ];
}

function needsOf({ events }: RunFacts): readonly string[] {
  const has = (type: string): boolean => ofType(events, type).length > 0;
  if (!hasEnded(events)) return [];
  const settled = new Set(ofType(events, 'ToolCallSettled', 'ToolCallCompleted').map(({ data }) => data['callId']));
  const isOpen = ofType(events, 'ToolCallInDoubt').some(({ data }) => !settled.has(data['callId']));
  return [
    ...(has('ItemFailed') ? ['items'] : []),
    ...(has('RunFailed') ? ['failed'] : []),
    ...(has('RunHalted') ? ['halted'] : []),
    ...(isOpen ? ['effects'] : []),
  ];
}

/** Every incident is in one story, and in no other. */
function storyLies({ stories, runs }: ToldReport): readonly string[] {
  const incidents = runs.flatMap((run) => run.incidents);
  const kinds = [...new Set([...stories, ...incidents].map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const mine = incidents.filter((one) => one.kind === kind);
    const told = stories.filter((one) => one.kind === kind);
    return (['healed', 'open', 'ended'] as const).flatMap((outcome) => {
      const truth = mine.filter((one) => one.outcome === outcome).length;
      const sum = told.reduce((total, story) => total + story[outcome], 0);
      return sum === truth ? [] : [`has ${sum} ${outcome} ${kind} in its stories and ${truth} in its runs`];
    });
  });
}
