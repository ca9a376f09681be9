import { type Incident, millisOf, type RunId, type Story } from '#contracts';
import { inTime } from './in-time.js';
import { count } from './notices.js';

/** What one incident is part of, with the run that it happened to. */
export interface Happening {
  readonly run: RunId;
  readonly incident: Incident;
}

/** Incidents with one cause that follow each other within this time are one story, milliseconds. */
const TOGETHER_MS = 60_000;
const RUNS_NAMED = 20;

/** Puts together what belongs together: a machine that is lost, or a model that is away, is one story for all its runs. */
export function storiesOf(happenings: readonly Happening[]): readonly Story[] {
  const groups: Happening[][] = [];
  const newest = new Map<string, Happening[]>();
  for (const happening of happenings.toSorted(byTime)) {
    const { cause } = happening.incident;
    const group = newest.get(cause);
    if (group && belongs(group, happening)) group.push(happening);
    else {
      const fresh = [happening];
      groups.push(fresh);
      newest.set(cause, fresh);
    }
  }
  return groups.map(storyOf);
}

const byTime = (a: Happening, b: Happening): number => millisOf(a.incident.noticedAt) - millisOf(b.incident.noticedAt);

function belongs(group: readonly Happening[], { run, incident }: Happening): boolean {
  const last = group.at(-1);
  if (!last) return false;
  // Ends are told one by one, since each needs its own look.
  if (incident.kind === 'halt' || incident.kind === 'failure' || incident.kind === 'doubt') return false;
  // Answered questions and calls that took too long are one line each, however long ago the one before was.
  if (incident.kind === 'question') return incident.outcome !== 'open' && last.incident.outcome !== 'open';
  if (incident.kind === 'timeout') return last.run === run;
  const end = Math.max(...group.map(({ incident: one }) => millisOf(one.overAt ?? one.noticedAt)));
  return millisOf(incident.noticedAt) - end <= TOGETHER_MS;
}

function storyOf(group: readonly Happening[]): Story {
  const incidents = group.map(({ incident }) => incident);
  const runs = [...new Set(group.map(({ run }) => run))];
  const [first] = incidents;
  if (!first) throw new Error('A story has an incident.');
  const ends = incidents.flatMap(({ overAt }) => overAt ?? []);
  const stood = incidents.flatMap(({ withoutProgressMs }) => withoutProgressMs ?? []);
  const lost = lostOf(incidents);
  const story = {
    kind: first.kind,
    from: first.noticedAt,
    ...(ends.length === incidents.length ? { to: ends.reduce((a, b) => (millisOf(a) > millisOf(b) ? a : b)) } : {}),
    runs: runs.slice(0, RUNS_NAMED),
    runCount: runs.length,
    incidents: incidents.length,
    healed: incidents.filter(({ outcome }) => outcome === 'healed').length,
    open: incidents.filter(({ outcome }) => outcome === 'open').length,
    ended: incidents.filter(({ outcome }) => outcome === 'ended').length,
    ...(stood.length > 0 ? { withoutProgressMs: Math.max(...stood) } : {}),
    ...(lost ? { lost } : {}),
  };
  return { ...story, sentence: sentenceOf(story, incidents) };
}

function lostOf(incidents: readonly Incident[]): Story['lost'] {
  const lost = incidents.flatMap((incident) => incident.lost ?? []);
  if (lost.length === 0) return undefined;
  const known = lost.flatMap(({ dollars }) => dollars ?? []);
  const tokens = lost.reduce((sum, one) => sum + one.tokens, 0);
  return { tokens, ...(known.length > 0 ? { dollars: known.reduce((sum, one) => sum + one, 0) } : {}) };
}

function sentenceOf(story: Omit<Story, 'sentence'>, incidents: readonly Incident[]): string {
  const [first] = incidents;
  if (!first) return '';
  const parts = incidents.length === 1 ? [first.noticed, first.done] : [together(story, incidents), outcomeOf(story)];
  return [...parts, stoodFor(story), costOf(story)].filter((part) => part !== '').join(' ');
}

/** What struck several: how many, and what was noticed of the first. */
function together(
  { kind, incidents: many, runCount }: Omit<Story, 'sentence'>,
  incidents: readonly Incident[],
): string {
  const [first] = incidents;
  const of = `of ${count(runCount, 'run')}`;
  const attempts = incidents.reduce((sum, { times }) => sum + times, 0);
  const noticed = first?.noticed ?? '';
  const where = first?.runner ? ` on ${first.runner.host}` : '';
  switch (kind) {
    case 'death':
      return `${attempts} segments ${of} died${where} within ${inTime(span(incidents))}. The first: ${noticed}`;
    case 'drain':
      return `${many} segments ${of} handed off${where} because their process was asked to stop (a deployment or a shutdown).`;
    case 'orphan':
      return `${many} segments ${of}${where} were left without their supervisor and handed off.`;
    case 'model':
      return `${attempts} attempts at model turns ${of} failed. The first: ${noticed}`;
    case 'question':
      return `${many} questions ${of} waited for people, the longest for ${inTime(longest(incidents))}.`;
    case 'backlog':
      return `${many} segments ${of} waited for a free runner.`;
    case 'standstill':
      return `${many} times a segment ${of} recorded nothing while neither the model nor a tool was at work: the log, the bus, the workspace or the machine was away or slow. The longest lasted ${inTime(longest(incidents))}.`;
    case 'timeout':
      return `${many} tool calls reached their time limit, were stopped, and the model was told. The first: ${noticed}`;
    case 'doubt':
    case 'halt':
    case 'failure':
      return noticed;
  }
}

/** From when the first was noticed to when the last was; they are in order. */
function span(incidents: readonly Incident[]): number {
  const [first, last] = [incidents[0], incidents.at(-1)];
  return first && last ? millisOf(last.noticedAt) - millisOf(first.noticedAt) : 0;
}

const longest = (incidents: readonly Incident[]): number =>
  Math.max(...incidents.map(({ noticedAt, overAt = noticedAt }) => millisOf(overAt) - millisOf(noticedAt)));

function outcomeOf({ healed, open, ended, kind }: Omit<Story, 'sentence'>): string {
  if (kind === 'question' || kind === 'timeout' || kind === 'backlog' || kind === 'standstill') return '';
  const all = healed + open + ended;
  if (healed === all) return 'All of them went on.';
  const rest = [open > 0 ? `${open} not yet` : '', ended > 0 ? `${ended} ended with it` : '']
    .filter(Boolean)
    .join(', ');
  return `${healed} of ${all} went on, ${rest}.`;
}

const stoodFor = ({ withoutProgressMs, incidents, open, kind }: Omit<Story, 'sentence'>): string =>
  withoutProgressMs === undefined || kind === 'backlog' || kind === 'standstill'
    ? ''
    : `Without progress${open > 0 ? ' so far' : ''}: ${inTime(withoutProgressMs)}${incidents > 1 ? ' at most' : ''}.`;

function costOf({ lost }: Omit<Story, 'sentence'>): string {
  if (!lost || lost.tokens === 0) return '';
  const dollars = lost.dollars === undefined ? '' : `, ${lost.dollars.toFixed(4)} US dollars`;
  return `At most ${lost.tokens} tokens${dollars} were paid twice for a turn that was asked for again.`;
}
