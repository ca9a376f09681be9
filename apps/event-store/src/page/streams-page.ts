import { type Html, html } from '#platform';
import type { Answer, Asked } from '../http/answer.js';
import type { RecordedEvent } from '../storage/event.js';
import { firstVisible, isAbsent, isTombstoned } from '../storage/streams.js';
import { ALL } from '../storage/wakeups.js';
import type { Browsed } from './browsed.js';
import type { NamePage } from './catalogue.js';
import { grouped, pageAnswer, streamHref, time } from './layout.js';
import { named } from './named.js';

const ROWS = 50;

interface Wanted {
  readonly prefix: string;
  /** The `next` of the page before; absent on the first page. */
  readonly from: string | undefined;
  readonly system: boolean;
}

/** The streams that were begun last, or those whose names begin so. */
export function streamsPage({ query }: Asked, browsed: Browsed): Answer {
  const prefix = query.get('prefix') ?? '';
  const system = query.has('system') || prefix.startsWith('$');
  const wanted: Wanted = { prefix, system, from: query.get('from') ?? undefined };
  const { names, next } = namesOf(wanted, browsed);
  const rows = names.map((name) => row(name, browsed)).filter((one) => one !== undefined);
  const everything = browsed.mayRead(ALL) ? html`<a href="${streamHref(ALL)}">All events</a> · ` : undefined;
  return pageAnswer({
    title: prefix ? `${prefix} · Event store` : 'Event store',
    prefix,
    main: html`<h1>${prefix ? html`Streams that begin with ${named(prefix)}` : html`Newest streams`}</h1>
<p>${everything}${system ? html`<a href="/">Without system streams</a>` : html`<a href="/?system=">With system streams</a>`}</p>
${rows.length > 0 ? table(rows) : html`<p>There is none here.</p>`}
${pages(wanted, next)}`,
  });
}

function namesOf({ prefix, from, system }: Wanted, { catalogue, mayRead }: Browsed): NamePage {
  const accepts = (name: string) => (system || !name.startsWith('$')) && mayRead(name);
  return prefix ? catalogue.beginning(prefix, from, ROWS, accepts) : catalogue.newest(from, ROWS, accepts);
}

function pages({ prefix, from, system }: Wanted, next: string | undefined): Html {
  const same: Record<string, string> = { ...(prefix ? { prefix } : {}), ...(system && !prefix ? { system: '' } : {}) };
  const href = (more: Record<string, string>) => `/?${new URLSearchParams({ ...same, ...more }).toString()}`;
  const first = from === undefined ? undefined : html`<a href="${href({})}">First page</a>`;
  const more = next === undefined ? undefined : html`<a href="${href({ from: next })}" rel="next">More</a>`;
  return html`<nav class="pages" aria-label="Pages">${first}${more}</nav>`;
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
