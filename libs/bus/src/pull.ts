import { createInbox, type Msg, nanos } from 'nats';
import type { Connection } from './connection.js';

/** What one request for one message came to. `lost`: the connection broke. `gone`: consumer or stream must be made again. */
export type Pulled =
  | { readonly outcome: 'message'; readonly message: Msg }
  | { readonly outcome: 'nothing' | 'lost' }
  | { readonly outcome: 'gone'; readonly reason: string };

export interface PullRequest {
  readonly stream: string;
  readonly durable: string;
  readonly expiresMs: number;
  readonly signal: AbortSignal;
  /** A message that was on its way while the request was withdrawn. */
  readonly onLate: (message: Msg) => void;
}

const NOTHING = new Set([404, 408]);
/** The server ends an expired request itself; past this it has forgotten it. */
const GRACE_MS = 2_000;

/**
 * Asks a durable consumer for exactly one message. The client's own `next` and `fetch` are not used: each call leaves
 * a status listener in the connection for ever, and neither can be withdrawn without losing what is on its way.
 */
export function pull(connection: Connection, request: PullRequest): Promise<Pulled> {
  const { stream, durable, expiresMs, signal, onLate } = request;
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ outcome: 'nothing' });
    let open = true;
    const inbox = createInbox();
    const subscription = connection.nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error) return end({ outcome: 'gone', reason: error.message });
        const pulled = outcomeOf(message, inbox);
        if (open) return end(pulled);
        if (pulled.outcome === 'message') onLate(pulled.message);
      },
    });
    const end = (pulled: Pulled, withdrawn = false): void => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      forgetLost();
      signal.removeEventListener('abort', onAbort);
      if (withdrawn && connection.isConnected()) subscription.drain().catch(() => undefined);
      else subscription.unsubscribe();
      resolve(pulled);
    };
    const onAbort = (): void => end({ outcome: 'nothing' }, true);
    const timer = setTimeout(() => end({ outcome: 'nothing' }, true), expiresMs + GRACE_MS);
    const forgetLost = connection.onLost(() => end({ outcome: 'lost' }));
    signal.addEventListener('abort', onAbort, { once: true });
    const demand = JSON.stringify({ batch: 1, expires: nanos(Math.ceil(expiresMs)) });
    connection.nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`, demand, { reply: inbox });
  });
}

/** A status comes on the inbox itself, a message under the subject that it was published to. */
function outcomeOf(message: Msg, inbox: string): Pulled {
  if (message.subject !== inbox) return { outcome: 'message', message };
  const code = message.headers?.code ?? 0;
  if (NOTHING.has(code)) return { outcome: 'nothing' };
  return { outcome: 'gone', reason: `${code} ${message.headers?.description ?? ''}`.trim() };
}
