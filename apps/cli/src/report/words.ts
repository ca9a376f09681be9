import { type Moment, millisOf, type Need, type Report, type RunId, type Story } from '#contracts';
import { inTime } from '#domain';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A moment as a person reads it, to the second, in UTC. */
export function moment(at: Moment): string {
  const date = new Date(millisOf(at));
  return `${DAYS[date.getUTCDay()]} ${date.toISOString().slice(0, 19).replace('T', ' ')}`;
}

const count = (n: number, noun: string): string => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
const listed = (parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join(', ');
const some = (n: number, word: string): string | undefined => (n === 0 ? undefined : `${n} ${word}`);

/** What one reads first: four lines. */
export function headlines({ headline: head, left }: Report): readonly string[] {
  const ends = listed([
    some(head.completed, 'completed'),
    some(head.failed, 'failed'),
    some(head.halted, 'halted'),
    some(head.cancelled, 'cancelled'),
    some(head.open, 'open'),
  ]);
  const stood = head.longestWithoutProgress;
  const died = head.deaths === 0 ? 'No segment died' : `${head.deathsHealed} of ${count(head.deaths, 'death')} healed`;
  const price =
    head.runsWithoutPrice === 0 ? '' : ` (and ${count(head.runsWithoutPrice, 'run')} for a price that is not known)`;
  return [
    `${count(head.runs, 'run')}${ends === '' ? '' : `: ${ends}`}${left.runs > 0 ? `; ${left.runs} more were not looked at` : ''}.`,
    `${count(head.itemsDone, 'item')} done, ${head.itemsFailed} failed, in ${count(head.segments, 'segment')} and ${count(head.steps, 'step')}.`,
    `${died}${stood ? `; the longest time without progress was ${inTime(stood.ms)} (run ${stood.run})` : ''}.`,
    `${head.dollars.toFixed(2)} US dollars${price}.`,
  ];
}

export function needsLine({
  headline,
  needs,
}: Pick<Report, 'needs'> & { readonly headline: { readonly needs: number } }): string {
  const alike = needs.length - entriesOf(needs).length;
  if (headline.needs === 0) return 'Nobody is needed.';
  if (headline.needs === 1) return 'One thing needs you.';
  return `${headline.needs} things need you${alike === 0 ? '' : `, of ${headline.needs - alike} sorts`}.`;
}

/** The label of what is needed, in a word or two. */
export const NEED_WORDS: Readonly<Record<Need['kind'], string>> = {
  approval: 'agreement',
  doubt: 'in doubt',
  answer: 'question',
  halted: 'halted',
  failed: 'failed',
  items: 'failed items',
  effects: 'effects in doubt',
  paused: 'paused',
  untended: 'untended',
  unreadable: 'unreadable',
};

export const STORY_WORDS: Readonly<Record<Story['kind'], string>> = {
  death: 'death',
  drain: 'deployment',
  orphan: 'supervisor lost',
  model: 'model away',
  doubt: 'doubt',
  question: 'question',
  halt: 'halt',
  failure: 'failure',
  backlog: 'backlog',
  timeout: 'time limit',
  standstill: 'stood still',
};

/** The whole report for the terminal. */
export function reportInWords(report: Report): string {
  const { since, until, needs, stories, findings } = report;
  const lines = [
    `From ${moment(since)} to ${moment(until)} UTC`,
    '',
    ...headlines(report).map((line) => `  ${line}`),
    `  ${needsLine(report)}`,
    ...section('Needs you', entriesOf(needs).flatMap(entryInWords)),
    ...section('What happened', stories.map(storyInWords)),
    ...section(
      'Outside of runs',
      findings.map(({ at, sentence, needsPerson }) => `  ${moment(at)}  ${needsPerson ? 'LOOK: ' : ''}${sentence}`),
    ),
  ];
  return lines.join('\n');
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', title, ...lines];

/** What needs a person, as it is shown: one need, or several that are alike. */
export interface NeedEntry extends Pick<Need, 'kind' | 'since' | 'until' | 'sentence' | 'commands'> {
  readonly runs: readonly RunId[];
  /** When the newest of several began. */
  readonly to: Moment | undefined;
}

/** From so many on, needs that are alike are one entry. */
const ALIKE = 3;

/** One full disk fails items of thirty runs: that is one thing to read and not thirty. */
export function entriesOf(needs: readonly Need[]): readonly NeedEntry[] {
  const groups = new Map<string, Need[]>();
  for (const need of needs) {
    const group = groups.get(groupOf(need));
    if (group) group.push(need);
    else groups.set(groupOf(need), [need]);
  }
  return needs.flatMap((need): readonly NeedEntry[] => {
    const alike = groups.get(groupOf(need)) ?? [];
    if (need.gist === undefined || alike.length < ALIKE) return [entryOf(need)];
    return need === alike[0] ? [entryOfMany(alike, need.gist)] : [];
  });
}

const groupOf = ({ kind, gist }: Need): string => `${kind} ${gist}`;

const entryOf = ({ kind, run, since, until, sentence, commands }: Need): NeedEntry => {
  const runs = run === undefined ? [] : [run];
  return { kind, runs, since, to: undefined, ...(until === undefined ? {} : { until }), sentence, commands };
};

function entryOfMany(alike: readonly Need[], gist: string): NeedEntry {
  const [first] = alike as [Need];
  const since = alike.map((need) => need.since).toSorted((a, b) => millisOf(a) - millisOf(b));
  const ofAny = (command: string): string => (first.run === undefined ? command : command.replaceAll(first.run, 'RUN'));
  return {
    kind: first.kind,
    runs: alike.flatMap(({ run }) => run ?? []),
    since: since[0] ?? first.since,
    to: since.at(-1),
    sentence: gist,
    commands: first.commands.map(ofAny),
  };
}

/** Since when, or between which moments. */
export function entryTime({ since, until, to }: NeedEntry): string {
  const limit = until === undefined ? '' : `, until ${moment(until)}`;
  const from =
    to === undefined || to === since ? `since ${moment(since)}` : `between ${moment(since)} and ${moment(to)}`;
  return `${from}${limit}`;
}

/** Which runs, and since when. */
export function entryHead(entry: NeedEntry): readonly string[] {
  const { runs } = entry;
  const of = runs.length > 1 ? runsNamed({ runs, runCount: runs.length }) : `run ${runs[0] ?? ''}`;
  return [...(runs.length === 0 ? [] : [of]), entryTime(entry)];
}

function entryInWords(entry: NeedEntry): readonly string[] {
  const { kind, sentence, commands } = entry;
  const head = [NEED_WORDS[kind], ...entryHead(entry)].join(' · ');
  return [`  ${head}`, `    ${sentence}`, ...commands.map((command) => `    → ${command}`)];
}

const RUNS_NAMED = 8;
const ID_SHOWN = 8;

/** Runs by the beginnings of their ids, which every command takes. */
export function runsNamed({ runs, runCount }: Pick<Story, 'runCount'> & { readonly runs: readonly RunId[] }): string {
  const named = runs.slice(0, RUNS_NAMED).map((run) => run.slice(0, ID_SHOWN));
  const more = runCount > named.length ? ` and ${runCount - named.length} more` : '';
  return `${count(runCount, 'run')}: ${named.join(', ')}${more}`;
}

function storyInWords(story: Story): string {
  const { kind, from, runs, runCount, sentence } = story;
  const of = runCount === 1 ? `run ${runs[0] ?? ''}` : runsNamed(story);
  return `  ${moment(from)}  ${STORY_WORDS[kind]} · ${of}\n    ${sentence}`;
}
