import { createHash } from 'node:crypto';
import { Html, html } from '#platform';
import type { Answer } from '../http/answer.js';

const STYLE = `
:root { color-scheme: light dark; --back: #fbfbfa; --raised: #fff; --text: #1c2127; --faint: #5b6570; --line: #dfe3e8;
  --accent: #0b5cad; --mark: #eef4fb; }
@media (prefers-color-scheme: dark) { :root { --back: #14171b; --raised: #1b2026; --text: #e4e8ec; --faint: #9aa5b1;
  --line: #2f363f; --accent: #7db7f5; --mark: #202a35; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: .75rem 1.5rem; align-items: center; padding-block: 1rem; }
header > a { font-weight: 650; color: var(--text); text-decoration: none; letter-spacing: -.01em; }
header form { display: flex; gap: .5rem; flex: 1 1 18rem; justify-content: flex-end; }
input, button { font: inherit; color: inherit; border: 1px solid var(--line); border-radius: .45rem; padding: .35rem .7rem;
  background: var(--raised); }
input { flex: 0 1 22rem; min-width: 0; }
button { cursor: pointer; }
h1 { font-size: 1.3rem; line-height: 1.3; margin: .75rem 0 .25rem; overflow-wrap: anywhere; letter-spacing: -.01em; }
p { margin: .25rem 0 1rem; color: var(--faint); }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; background: var(--raised); border: 1px solid var(--line);
  border-radius: .6rem; border-spacing: 0; overflow: hidden; border-collapse: separate; }
th, td { text-align: left; padding: .5rem .9rem; vertical-align: top; overflow-wrap: anywhere; }
thead th { font-size: .82rem; font-weight: 600; color: var(--faint); }
tbody tr > * { border-top: 1px solid var(--line); font-weight: 400; }
tbody tr:hover { background: var(--mark); }
.number, time { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.number, th.number { text-align: right; }
ol { list-style: none; margin: 0; padding: 0; background: var(--raised); border: 1px solid var(--line);
  border-radius: .6rem; overflow: hidden; }
li + li { border-top: 1px solid var(--line); }
summary { display: grid; grid-template-columns: 4.5rem minmax(8rem, 16rem) 1fr 13rem; gap: 1rem; padding: .5rem .9rem;
  cursor: pointer; align-items: baseline; }
summary:hover { background: var(--mark); }
summary .type { font-weight: 600; overflow-wrap: anywhere; }
summary code { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--faint); }
summary time { color: var(--faint); text-align: right; }
details[open] > summary { background: var(--mark); }
details[open] > summary code { visibility: hidden; }
code, pre { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.inside { padding: .25rem .9rem .9rem; border-top: 1px solid var(--line); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.25rem; margin: .6rem 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
h2 { font-size: .82rem; font-weight: 600; color: var(--faint); margin: .9rem 0 .3rem; }
pre { margin: 0; padding: .7rem .9rem; background: var(--back); border: 1px solid var(--line); border-radius: .45rem;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: 32rem; overflow-y: auto; }
.pages { display: flex; gap: 1.25rem; padding: 1rem 0; }
footer { color: var(--faint); font-size: .85rem; padding-block: 1rem 2rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 46rem) { summary { grid-template-columns: 3.5rem 1fr; gap: 0 1rem; } summary code { display: none; }
  summary time { grid-column: 2; text-align: left; } td.last, th.last { display: none; } }
`;

const styleHash = createHash('sha256').update(STYLE).digest('base64');

/** Nothing may run, load or be framed: a payload that got past the escaping would still do nothing. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
};

export interface Page {
  readonly title: string;
  /** What was searched for, to stand in the field again. */
  readonly prefix?: string | undefined;
  readonly main: Html;
}

export function pageAnswer({ title, prefix = '', main }: Page, status = 200): Answer {
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<a href="/">Event store</a>
<form action="/" role="search">
<label class="hidden" for="prefix">Names that begin with</label>
<input id="prefix" name="prefix" type="search" placeholder="Names that begin with …" value="${prefix}" autocomplete="off" spellcheck="false">
<button>Find</button>
</form>
</header>
<main>${main}</main>
<footer>Read only. Times are UTC.</footer>
</body>
</html>
`;
  return { status, headers: HEADERS, body: text };
}

/** Microseconds since 1970 as a person reads them. */
export function time(created: number): Html {
  const iso = new Date(created / 1000).toISOString();
  return html`<time datetime="${iso}">${iso.replace('T', ' ').slice(0, 23)}</time>`;
}

/** Groups of three digits. */
export const grouped = (number: number): string => number.toLocaleString('en');

export const streamHref = (name: string, from?: number): string =>
  `/stream?name=${encodeURIComponent(name)}${from === undefined ? '' : `&from=${from}`}`;
