import type { Answer, Asked } from '../http/answer.js';
import type { RecordedEvent } from '../storage/event.js';
import { firstVisible, isAbsent, isTombstoned } from '../storage/streams.js';
import type { Browsed } from './browse.js';
import { type Html, html, named } from './html.js';
import { grouped, pageAnswer, streamHref, time } from './layout.js';

const ROWS = 50;

/** The streams that were begun last, or those whose names begin so. */
export function streamsPage({ query }: Asked, { mayRead, catalogue, ...browsed }: Browsed): Answer {
  const prefix = query.get('prefix') ?? '';
  const from = query.get('from') ?? undefined;
  const system = query.has('system') || prefix.startsWith('$');
  const accepts = (name: string) => (system || !name.startsWith('$')) && mayRead(name);
  const { names, next } = prefix
    ? catalogue.beginning(prefix, from, ROWS, accepts)
    : catalogue.newest(from, ROWS, accepts);
  const rows = names.map((name) => row(name, browsed)).filter((one) => one !== undefined);
  const again = (changes: Readonly<Record<string, string>>) =>
    `/?${new URLSearchParams({ ...(prefix ? { prefix } : {}), ...(system && !prefix ? { system: '' } : {}), ...changes })}`;
  return pageAnswer({
    title: prefix ? `${prefix} · Event store` : 'Event store',
    prefix,
    main: html`<h1>${prefix ? html`Streams that begin with ${named(prefix)}` : html`Newest streams`}</h1>
<p>${mayRead('$all') ? html`<a href="${streamHref('$all')}">All events</a> · ` : undefined}${
      system ? html`<a href="/">Without system streams</a>` : html`<a href="/?system=">With system streams</a>`
    }</p>
${rows.length > 0 ? table(rows) : html`<p>${from === undefined ? 'There is none.' : 'There is none on this page.'}</p>`}
<nav class="pages" aria-label="Pages">${
      from === undefined ? undefined : html`<a href="${again({})}">First page</a>`
    }${next === undefined ? undefined : html`<a href="${again({ from: next })}" rel="next">More</a>`}</nav>`,
  });
}

const table = (rows: readonly Html[]): Html => html`<table>
<thead><tr><th scope="col">Stream</th><th scope="col" class="number">Events</th><th scope="col" class="last">Last event</th><th scope="col">Recorded</th></tr></thead>
<tbody>${rows}</tbody>
</table>`;

/** Deleted streams are left out, ended ones are named. */
function row(name: string, { store: { log, reader } }: Pick<Browsed, 'store'>): Html | undefined {
  const state = log.streams.get(name);
  const link = html`<th scope="row"><a href="${streamHref(name)}">${named(name)}</a></th>`;
  if (isTombstoned(state)) return html`<tr>${link}<td></td><td class="last">deleted for ever</td><td></td></tr>`;
  if (isAbsent(state)) return undefined;
  const last: RecordedEvent | undefined = reader.readStream(state, state.last, 'backwards', 1)[0];
  return html`<tr>${link}<td class="number">${grouped(state.last - firstVisible(state) + 1)}</td><td class="last"><bdi>${last?.type ?? ''}</bdi></td><td>${last && time(last.created)}</td></tr>`;
}
