import { lookup } from 'node:dns/promises';
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { messageOf } from '#platform';
import { isPublic } from './addresses.js';
import { AddressRefused, NoAnswer } from './errors.js';

const REDIRECTS = 5;

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Gives the addresses of a host. */
export type Resolve = (host: string) => Promise<readonly Address[]>;

export const systemResolve: Resolve = (host) => lookup(host, { all: true, verbatim: true });

export interface Outgoing {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal: AbortSignal;
}

/** Where requests may go. */
export interface Reach {
  readonly allows: (address: string) => boolean;
  readonly resolve: Resolve;
}

export const reachOf = (allowPrivate: boolean, resolve: Resolve): Reach => ({
  allows: allowPrivate ? () => true : isPublic,
  resolve,
});

/** Headers that say nothing about who asks, so that they may go to another origin. */
const HARMLESS = ['accept', 'accept-encoding', 'content-type', 'idempotency-key', 'user-agent'];

/**
 * Sends a request and follows at most five redirects. Each step is checked by itself: the name is resolved once, every
 * address is looked at, and the connection is made to exactly these, so that a name cannot mean something else in between.
 * Headers go to another origin only when they are harmless.
 * @throws AddressRefused before anything goes to an address that is not public; NoAnswer
 */
export async function send(url: URL, outgoing: Outgoing, reach: Reach): Promise<IncomingMessage> {
  let [at, out] = [url, outgoing];
  for (let redirects = 0; ; redirects += 1) {
    const answer = await sendOnce(at, out, reach);
    const next = redirectOf(at, answer);
    if (next === undefined) return answer;
    answer.destroy();
    if (redirects === REDIRECTS) throw new AddressRefused(`More than ${REDIRECTS} redirects were answered.`);
    out = redirected(out, { from: at, to: next, status: answer.statusCode ?? 0 });
    at = next;
  }
}

/** One request without redirects. @throws AddressRefused, NoAnswer */
export async function sendOnce(
  url: URL,
  { method, headers, body, signal }: Outgoing,
  reach: Reach,
): Promise<IncomingMessage> {
  const addresses = await allowedAddresses(url, reach);
  const pinned: LookupFunction = (_host, options, answer) => {
    const [first] = addresses;
    if (options.all) answer(null, [...addresses]);
    else answer(null, first?.address ?? '', first?.family);
  };
  const options: RequestOptions = { method, headers: { ...headers }, signal, lookup: pinned, agent: false };
  if (body !== undefined) options.headers = { ...headers, 'content-length': String(Buffer.byteLength(body)) };
  let sent = false;
  try {
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const out = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
      out.once('socket', (socket) => {
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
          sent = true;
        });
      });
      out.once('response', resolve);
      out.once('error', reject);
      out.end(body);
    });
  } catch (error) {
    throw new NoAnswer(`No answer came from ${url.origin}: ${messageOf(error)}.`, sent, { cause: error });
  }
}

async function allowedAddresses(url: URL, { allows, resolve }: Reach): Promise<readonly Address[]> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AddressRefused(`Only http and https can be asked, not ${url.protocol}`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const addresses = family === 0 ? await resolved(host, resolve) : [{ address: host, family }];
  const refused = addresses.find(({ address }) => !allows(address));
  if (refused === undefined) return addresses;
  throw new AddressRefused(
    `${host} is at ${refused.address}, which is not on the public internet; \`allowPrivate: true\` in the agent file allows it.`,
  );
}

async function resolved(host: string, resolve: Resolve): Promise<readonly Address[]> {
  const addresses = await resolve(host).catch((error: unknown) => {
    throw new NoAnswer(`${host} cannot be found: ${messageOf(error)}.`, false, { cause: error });
  });
  if (addresses.length === 0) throw new NoAnswer(`${host} has no address.`, false);
  return addresses;
}

function redirectOf(url: URL, { statusCode = 0, headers }: IncomingMessage): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return undefined;
  return URL.canParse(headers.location, url.href) ? new URL(headers.location, url) : undefined;
}

function redirected(out: Outgoing, { from, to, status }: { from: URL; to: URL; status: number }): Outgoing {
  const headers =
    from.origin === to.origin
      ? out.headers
      : Object.fromEntries(Object.entries(out.headers).filter(([name]) => HARMLESS.includes(name.toLowerCase())));
  const becomesGet = (status === 303 && out.method !== 'HEAD') || (status < 303 && out.method === 'POST');
  if (!becomesGet) return { ...out, headers };
  const bare = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type');
  return { method: 'GET', headers: Object.fromEntries(bare), signal: out.signal };
}
