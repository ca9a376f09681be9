import { type Html, html } from '#platform';
import { Refusal, Status } from '../grpc/refusal.js';
import type { Answer, Asked } from '../http/answer.js';
import { type RecordedEvent, uuidText, wireRevision } from '../storage/event.js';
import { metastreamOf } from '../storage/policy.js';
import { firstVisible, isAbsent, isTombstoned } from '../storage/streams.js';
import { ALL } from '../storage/wakeups.js';
import type { Browsed } from './browsed.js';
import { grouped, pageAnswer, streamHref, time } from './layout.js';
import { named } from './named.js';
import { preview, shown } from './payload.js';

const EVENTS = 25;

interface Shelf {
  readonly events: readonly RecordedEvent[];
  /** The first place of the page of older events, and of newer ones; absent when there are none. */
  readonly older: number | undefined;
  readonly newer: number | undefined;
  readonly summary: Html;
}

/** The events of one stream, or of `$all`, the newest first. @throws Refusal */
export function streamPage({ query }: Asked, browsed: Browsed): Answer {
  const name = query.get('name') ?? '';
  const from = placeOf(query.get('from'));
  browsed.requireRead(name);
  const shelf = name === ALL ? allEvents(from, browsed) : eventsOf(name, from, browsed);
  return pageAnswer({
    title: `${name} · Event store`,
    main: html`<h1>${named(name)}</h1>
<p>${shelf.summary}</p>
${shelf.events.length > 0 ? html`<ol>${shelf.events.map((event) => item(event, name === ALL))}</ol>` : undefined}
<nav class="pages" aria-label="Pages">${
      shelf.newer === undefined
        ? undefined
        : html`<a href="${streamHref(name)}">Newest</a><a href="${streamHref(name, shelf.newer)}" rel="prev">Newer</a>`
    }${shelf.older === undefined ? undefined : html`<a href="${streamHref(name, shelf.older)}" rel="next">Older</a>`}</nav>`,
  });
}

function placeOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new Refusal(Status.INVALID_ARGUMENT, 'from must be the number of an event.');
  return Number(text);
}

function eventsOf(name: string, from: number | undefined, { store, mayRead }: Browsed): Shelf {
  const { log, reader } = store;
  const state = log.streams.get(name);
  if (isTombstoned(state)) throw new Refusal(Status.NOT_FOUND, `${JSON.stringify(name)} was deleted for ever.`);
  if (isAbsent(state)) throw new Refusal(Status.NOT_FOUND, `There is no stream ${JSON.stringify(name)}.`);
  const start = Math.min(from ?? state.last, state.last);
  const events = reader.readStream(state, start, 'backwards', EVENTS);
  const first = firstVisible(state);
  const oldest = events.at(-1)?.revision ?? first;
  const meta = metastreamOf(name);
  const described = log.streams.get(meta).last >= 0 && mayRead(meta);
  return {
    events,
    older: oldest > first ? oldest - 1 : undefined,
    newer: start < state.last ? Math.min(start + EVENTS, state.last) : undefined,
    summary: html`${grouped(state.last - first + 1)} events${
      described ? html` · <a href="${streamHref(meta)}">Metadata</a>` : undefined
    }`,
  };
}

function allEvents(from: number | undefined, { store: { log, reader } }: Browsed): Shelf {
  const last = log.lastPosition;
  const start = Math.min(from ?? last, last);
  const { events, end } = reader.readAll(start + 1, 'backwards', EVENTS);
  const oldest = events.at(-1)?.position ?? 0;
  return {
    events,
    older: end || oldest <= 1 ? undefined : oldest - 1,
    newer: start < last ? Math.min(start + EVENTS, last) : undefined,
    summary: html`Events of all streams, up to position ${grouped(last)}`,
  };
}

function item(event: RecordedEvent, everywhere: boolean): Html {
  const { revision, type, created, data, metadata, json } = event;
  return html`<li><details><summary><span class="number">${everywhere ? event.position : wireRevision(revision)}</span><span class="type">${named(type)}</span><code><bdi>${preview(data)}</bdi></code>${time(created)}</summary>
<div class="inside"><dl>
<dt>Stream</dt><dd><a href="${streamHref(event.stream)}">${named(event.stream)}</a></dd>
<dt>Revision</dt><dd>${wireRevision(revision)}</dd>
<dt>Position</dt><dd>${event.position}</dd>
<dt>Id</dt><dd><code>${uuidText(event.id)}</code></dd>
</dl>
${payload('Data', data, json)}
${metadata.length > 0 ? payload('Metadata', metadata, true) : undefined}
</div></details></li>`;
}

function payload(title: string, bytes: Uint8Array, json: boolean): Html {
  const { text, omitted } = shown(bytes, json);
  const size = `${grouped(bytes.length)} bytes${omitted > 0 ? `, the last ${grouped(omitted)} of them not shown` : ''}`;
  return html`<h2>${title} · ${size}</h2>${bytes.length > 0 ? html`<pre tabindex="0">${text}</pre>` : undefined}`;
}
