import { type Incident, type Moment, millisOf, type Report, type RunAccount } from '#contracts';
import { inTime } from '#domain';
import { type Html, html } from '#platform';
import { moment, STORY_WORDS } from './words.js';

const [WIDTH, LABELS, RIGHT, ROW, TOP] = [1_000, 190, 12, 22, 30];
const ROWS_SHOWN = 150;
const TICKS = 6;

/** The runs as rows over time: segments as bars, time without progress as hatched bands, incidents as marks. */
export function timeline(report: Report): Html {
  const rows = [...report.runs].toSorted(byInterest).slice(0, ROWS_SHOWN).toSorted(byRequest);
  const height = TOP + rows.length * ROW + 8;
  const x = scale(report, rows);
  const said = `${rows.length} runs over time. The table below the picture says the same in words.`;
  return html`<div class="wide" role="region" aria-label="Timeline" tabindex="0">
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="timeline-title">
<title id="timeline-title">${said}</title>
<defs><pattern id="still" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-back" width="6" height="6"/><rect class="hatch" width="2.5" height="6"/></pattern></defs>
${ticks(x, height)}
${rows.map((row, place) => rowOf(row, TOP + place * ROW, x))}
</svg></div>`;
}

/** Runs with more to tell come first when not all of them fit. */
const byInterest = (a: RunAccount, b: RunAccount): number =>
  b.incidents.length - a.incidents.length || millisOf(b.requestedAt) - millisOf(a.requestedAt);
const byRequest = (a: RunAccount, b: RunAccount): number => millisOf(a.requestedAt) - millisOf(b.requestedAt);

interface Scale {
  readonly from: number;
  readonly to: number;
  readonly at: (moment: Moment | number) => number;
}

/** The picture begins where there is something to see, not before the report does. */
function scale({ since, until }: Report, rows: readonly RunAccount[]): Scale {
  const first = Math.min(...rows.map(({ requestedAt }) => millisOf(requestedAt)));
  const from = Math.max(millisOf(since), Number.isFinite(first) ? first : 0);
  const to = Math.max(millisOf(until), from + 1_000);
  const at = (told: Moment | number): number => {
    const millis = Math.min(to, Math.max(from, typeof told === 'number' ? told : millisOf(told)));
    return LABELS + ((millis - from) / (to - from)) * (WIDTH - LABELS - RIGHT);
  };
  return { from, to, at };
}

function ticks({ from, to, at }: Scale, height: number): readonly Html[] {
  const days = to - from > 172_800_000;
  return Array.from({ length: TICKS }, (_, place) => {
    const millis = from + ((to - from) * place) / (TICKS - 1);
    const iso = new Date(millis).toISOString();
    const label = days ? `${iso.slice(5, 10)} ${iso.slice(11, 16)}` : iso.slice(11, 19);
    const anchor = place === 0 ? 'start' : place === TICKS - 1 ? 'end' : 'middle';
    const x = fixed(at(millis));
    return html`<line class="tick" x1="${x}" x2="${x}" y1="20" y2="${height}"/><text class="axis" x="${x}" y="13" text-anchor="${anchor}">${label}</text>`;
  });
}

const fixed = (n: number): string => n.toFixed(1);

function rowOf(account: RunAccount, top: number, x: Scale): Html {
  const { run, agent, status, incidents, segments, requestedAt, endedAt } = account;
  const middle = top + ROW / 2;
  const end = endedAt ?? x.to;
  return html`<g><text class="label" x="0" y="${middle + 4}"><title>${agent.name} ${run}: ${status}</title>${short(agent.name)} ${run.slice(0, 8)}</text>
<line class="life" x1="${fixed(x.at(requestedAt))}" x2="${fixed(x.at(end))}" y1="${middle}" y2="${middle}"/>
${segments.map((segment) => barOf(segment, top, x))}
${incidents.map((incident) => stillOf(incident, top, x))}
${incidents.map((incident) => markOf(incident, middle, x))}</g>
`;
}

const short = (name: string): string => (name.length <= 16 ? name : `${name.slice(0, 15)}…`);

function barOf({ segment, from, to, ended }: RunAccount['segments'][number], top: number, x: Scale): Html {
  const [left, right] = [x.at(from), x.at(to ?? x.to)];
  const words = `Segment ${segment}, ${moment(from)}, ${ended ?? (to === undefined ? 'works' : 'ended')}`;
  const kind = segment % 2 === 0 ? 'bar even' : 'bar';
  return html`<rect class="${kind}" x="${fixed(left)}" y="${top + 4}" width="${fixed(Math.max(1.5, right - left))}" height="${ROW - 8}" rx="2"><title>${words}</title></rect>`;
}

function stillOf({ stillSince, withoutProgressMs, overAt }: Incident, top: number, x: Scale): Html {
  if (stillSince === undefined || withoutProgressMs === undefined) return html``;
  const [left, right] = [x.at(stillSince), x.at(overAt ?? x.to)];
  return html`<rect class="still" fill="url(#still)" x="${fixed(left)}" y="${top + 2}" width="${fixed(Math.max(2, right - left))}" height="${ROW - 4}"><title>${inTime(withoutProgressMs)} without progress</title></rect>`;
}

/** Marks differ in shape as well as in colour. */
function markOf({ kind, noticedAt, noticed, done }: Incident, y: number, scaled: Scale): Html {
  const x = scaled.at(noticedAt);
  const title = html`<title>${STORY_WORDS[kind]}, ${moment(noticedAt)}: ${noticed} ${done}</title>`;
  switch (kind) {
    case 'death':
    case 'failure':
      return html`<path class="mark dead" d="M${fixed(x - 5)} ${y - 5} l10 10 M${fixed(x + 5)} ${y - 5} l-10 10">${title}</path>`;
    case 'halt':
      return html`<rect class="mark halt" x="${fixed(x - 5)}" y="${y - 5}" width="10" height="10">${title}</rect>`;
    case 'question':
    case 'doubt':
      return html`<circle class="mark asks" cx="${fixed(x)}" cy="${y}" r="5">${title}</circle>`;
    case 'drain':
      return html`<path class="mark calm" d="M${fixed(x)} ${y - 6} l6 6 l-6 6 l-6 -6 z">${title}</path>`;
    case 'timeout':
      return html`<rect class="mark slow" x="${fixed(x - 2.5)}" y="${y - 7}" width="5" height="14">${title}</rect>`;
    case 'orphan':
    case 'model':
    case 'backlog':
    case 'standstill':
      return html`<path class="mark slow" d="M${fixed(x)} ${y - 6} l6 11 h-12 z">${title}</path>`;
  }
}

/** What the marks mean. */
export const legend = (): Html => html`<ul class="legend">
<li><svg viewBox="0 0 24 12" aria-hidden="true"><rect class="bar" x="0" y="1" width="12" height="10"/><rect class="bar even" x="12" y="1" width="12" height="10"/></svg> segments</li>
<li><svg viewBox="0 0 24 12" aria-hidden="true"><rect class="still" fill="url(#still)" width="24" height="12"/></svg> without progress</li>
<li><svg viewBox="0 0 12 12" aria-hidden="true"><path class="mark dead" d="M1 1 l10 10 M11 1 l-10 10"/></svg> death, failure</li>
<li><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="mark halt" x="1" y="1" width="10" height="10"/></svg> halt</li>
<li><svg viewBox="0 0 12 12" aria-hidden="true"><circle class="mark asks" cx="6" cy="6" r="5"/></svg> question, doubt</li>
<li><svg viewBox="0 0 12 12" aria-hidden="true"><path class="mark slow" d="M6 0 l6 11 h-12 z"/></svg> supervisor lost, model away, backlog, stood still</li>
<li><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="mark slow" x="3.5" y="0" width="5" height="12"/></svg> time limit</li>
<li><svg viewBox="0 0 12 12" aria-hidden="true"><path class="mark calm" d="M6 0 l6 6 l-6 6 l-6 -6 z"/></svg> deployment</li>
</ul>`;
