import { createHash } from 'node:crypto';
import type { Need, Report, RunAccount, Story } from '#contracts';
import { Html, html } from '#platform';
import { legend, timeline } from './timeline.js';
import {
  entriesOf,
  entryHead,
  entryTime,
  headlines,
  moment,
  NEED_WORDS,
  type NeedEntry,
  needsLine,
  runsNamed,
  STORY_WORDS,
} from './words.js';

const STYLE = `
:root { color-scheme: light dark; --back: #fbfbfa; --raised: #fff; --text: #1c2127; --faint: #56606b; --line: #dfe3e8;
  --bar: #3f7cc0; --even: #7fb0e3; --dead: #b3261e; --halt: #7b3fb3; --asks: #0b6e5f; --slow: #8a5a00; --hatch: #d99a1e; }
@media (prefers-color-scheme: dark) { :root { --back: #14171b; --raised: #1b2026; --text: #e4e8ec; --faint: #9aa5b1;
  --line: #2f363f; --bar: #4d8fd6; --even: #2f5f94; --dead: #ff8a80; --halt: #cf9dff; --asks: #5fd3bf; --slow: #ffc766; --hatch: #d99a1e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
h1 { font-size: 1.35rem; margin: 1.5rem 0 .1rem; letter-spacing: -.01em; }
h2 { font-size: 1.02rem; margin: 2rem 0 .6rem; }
p { margin: .2rem 0; } .faint { color: var(--faint); }
.head { font-size: 1.02rem; margin: .9rem 0 0; } .verdict { font-weight: 650; margin-top: .5rem; }
section ol { list-style: none; margin: 0; padding: 0; background: var(--raised); border: 1px solid var(--line); border-radius: .6rem; }
section ol > li { padding: .65rem .9rem; overflow-wrap: anywhere; } section ol > li + li { border-top: 1px solid var(--line); }
.kind { font-weight: 650; } .needs .kind, .look { color: var(--dead); }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.command { display: block; margin-top: .3rem; padding: .25rem .6rem; background: var(--back); border: 1px solid var(--line); border-radius: .4rem; user-select: all; }
.wide { overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; }
.wide > svg { display: block; min-width: 46rem; width: 100%; height: auto; }
:focus-visible { outline: 2px solid var(--bar); outline-offset: 2px; }
.tick { stroke: var(--line); stroke-width: 1; } .axis, .label { fill: var(--faint); font: 11px system-ui, sans-serif; } .label { fill: var(--text); }
.life { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 2 3; } .bar { fill: var(--bar); } .even { fill: var(--even); }
.hatch-back { fill: var(--raised); } .hatch { fill: var(--hatch); } .still { stroke: var(--hatch); stroke-width: .8; }
.mark { stroke: var(--raised); stroke-width: 1.2; } .dead { stroke: var(--dead); stroke-width: 3; fill: none; } .halt { fill: var(--halt); }
.asks { fill: var(--asks); } .slow { fill: var(--slow); } .calm { fill: var(--faint); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; list-style: none; padding: 0; margin: .6rem 0 0; color: var(--faint); font-size: .88rem; }
.legend svg { height: .75rem; vertical-align: -.08rem; }
summary { cursor: pointer; margin-top: .8rem; } summary + ol { margin-top: .5rem; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; margin-top: .5rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
thead th { color: var(--faint); font-weight: 600; } tbody th { font-weight: 400; }
footer { color: var(--faint); font-size: .85rem; padding-block: 1.5rem 2rem; }
`;

/** The report as one file that needs nothing else: no script, no other resource, readable in light and dark. */
export function reportPage(report: Report): string {
  const { since, until, needs, stories, findings, runs } = report;
  const title = `Baton, ${moment(since)} to ${moment(until)} UTC`;
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; img-src data:`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>What happened</h1>
<p class="faint">${moment(since)} to ${moment(until)}, UTC</p>
<div class="head">${headlines(report).map((line) => html`<p>${line}</p>`)}<p class="verdict">${needsLine(report)}</p></div>
${needs.length === 0 ? html`` : html`<section class="needs" aria-labelledby="needs"><h2 id="needs">Needs you</h2>${needsOf(needs)}</section>`}
${runs.length === 0 ? html`` : html`<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>${timeline(report)}${legend()}${table(runs)}</section>`}
${stories.length === 0 ? html`` : html`<section aria-labelledby="incidents"><h2 id="incidents">Incidents</h2><ol>${stories.map(storyOf)}</ol></section>`}
${findings.length === 0 ? html`` : html`<section aria-labelledby="findings"><h2 id="findings">Outside of runs</h2><ol>${findings.map(findingOf)}</ol></section>`}
</main>
<footer>Told from the event log. Times are UTC.</footer>
</body>
</html>
`.text;
}

/** Beyond so many the others are a click away, so that the picture is not out of sight. */
const NEEDS_SHOWN = 5;

function needsOf(needs: readonly Need[]): Html {
  const entries = entriesOf(needs);
  const [first, others] = [entries.slice(0, NEEDS_SHOWN), entries.slice(NEEDS_SHOWN)];
  const more = html`<details><summary>${others.length} more</summary><ol>${others.map(needOf)}</ol></details>`;
  return html`<ol>${first.map(needOf)}</ol>${others.length === 0 ? html`` : more}`;
}

const needOf = (entry: NeedEntry): Html =>
  html`<li><span class="kind">${NEED_WORDS[entry.kind]}</span> <span class="faint">${entry.runs.length === 1 ? html`run <code>${entry.runs[0]}</code>, ${entryTime(entry)}` : entryHead(entry).join(', ')}</span>
<p>${entry.sentence}</p>${entry.commands.map((command) => html`<code class="command">${command}</code>`)}</li>
`;

const storyOf = (story: Story): Html =>
  html`<li><span class="kind">${STORY_WORDS[story.kind]}</span> <span class="faint">${moment(story.from)}, ${story.runCount === 1 ? html`run <code>${story.runs[0]}</code>` : runsNamed(story)}</span>
<p>${story.sentence}</p></li>
`;

const findingOf = ({ at, sentence, needsPerson }: Report['findings'][number]): Html =>
  html`<li>${needsPerson ? html`<span class="kind look">look</span> ` : html``}<span class="faint">${moment(at)}</span> ${sentence}</li>
`;

/** The picture in words. */
const table = (runs: readonly RunAccount[]): Html =>
  html`<details><summary>The same in words</summary><div class="wide" role="region" aria-label="Runs" tabindex="0"><table>
<thead><tr><th scope="col">Run</th><th scope="col">Agent</th><th scope="col">Status</th><th scope="col">Items</th><th scope="col">Segments</th><th scope="col">Incidents</th><th scope="col">Dollars</th></tr></thead>
<tbody>${runs.map(
    ({ run, agent, status, items, segments, earlierSegments, incidents, moreIncidents, dollars }) =>
      html`<tr><th scope="row"><code>${run}</code></th><td>${agent.name}@${agent.version}</td><td>${status}</td><td>${items.total === 0 ? '' : `${items.done}/${items.total}`}</td><td>${segments.length + earlierSegments}</td><td>${incidents.length + moreIncidents}</td><td>${dollars === undefined ? '' : dollars.toFixed(2)}</td></tr>`,
  )}</tbody></table></div></details>`;
