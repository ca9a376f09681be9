import { setTimeout as pause } from 'node:timers/promises';
import { EventView, type RunId } from '#contracts';
import { messageOf } from '#platform';
import type { Http } from './http.js';
import { Refused } from './refusal.js';
import { serverSent } from './server-sent.js';

export interface Following {
  readonly from: number;
  readonly signal: AbortSignal;
  /** Told once for each time that the connection is lost. */
  readonly onLost?: (why: string) => void;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;
/** The gateway gives a sign of life more often than this; without one the connection is dead. */
const SILENCE_MS = 60_000;

/**
 * Every event of a run from a revision on, without gap or repeat: what is there, then what comes. Ends when the run has
 * ended or the signal aborts; whatever goes wrong in between is tried again for ever.
 * @throws Refused when the gateway will never answer this, e.g. because there is no such run
 */
export async function* follow(http: Http, run: RunId, { from, signal, onLost }: Following): AsyncGenerator<EventView> {
  let next = from;
  let waitMs = FIRST_WAIT_MS;
  const onEvent = (event: EventView): EventView => {
    next = event.revision + 1;
    waitMs = FIRST_WAIT_MS;
    return event;
  };
  let ended = false;
  const onEnd = (): void => {
    ended = true;
  };
  while (!signal.aborted) {
    try {
      for await (const sent of connection(http, { run, from: next, signal, onEnd })) yield onEvent(sent);
    } catch (error) {
      if (error instanceof Refused && error.remedy !== 'retry') throw error;
      if (!signal.aborted && waitMs === FIRST_WAIT_MS) onLost?.(messageOf(error));
    }
    if (ended) return;
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

interface Connecting {
  readonly run: RunId;
  readonly from: number;
  readonly signal: AbortSignal;
  readonly onEnd: () => void;
}

async function* connection(http: Http, { run, from, signal, onEnd }: Connecting): AsyncGenerator<EventView> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error('the gateway has fallen silent')), SILENCE_MS);
  try {
    const response = await http.send(`/v1/runs/${run}/events?from=${from}`, {
      headers: { accept: 'text/event-stream' },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (response.body === null) return;
    for await (const { event, data } of serverSent(heard(response.body, () => timer.refresh()))) {
      if (event === 'end') onEnd();
      else if (event !== 'goodbye') yield EventView.parse(JSON.parse(data));
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

async function* heard(body: AsyncIterable<Uint8Array>, onChunk: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    onChunk();
    yield chunk;
  }
}
