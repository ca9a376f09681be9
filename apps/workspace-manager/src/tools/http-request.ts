import type { HttpTool } from '#contracts';
import { BatonError } from '#platform';

type Input = Readonly<Record<string, unknown>>;

/** A request as it is sent; secrets are not filled in yet. */
export interface HttpRequest {
  readonly url: URL;
  readonly body: string | undefined;
}

/** What the transport itself decides. */
const OWN_HEADERS = ['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'trailer'];
const FIELD = /\{([^{}]+)\}/g;
const IN_QUERY: readonly HttpTool['method'][] = ['GET', 'HEAD', 'DELETE'];

/** A request that an input does not make, or a declaration that no request can be made of. */
export class RequestRefused extends BatonError {
  readonly code = 'request-refused';
  readonly remedy = 'tell';
}

/** Puts an input into a tool's request. @throws RequestRefused with a text for the model */
export function requestOf(tool: HttpTool, input: Input): HttpRequest {
  const header = Object.keys(tool.headers).find((name) => OWN_HEADERS.includes(name.toLowerCase()));
  if (header !== undefined)
    throw new RequestRefused(`The agent file must not set the header ${header} of ${tool.name}.`);
  const url = filledUrl(tool.url, input);
  const inUrl = new Set([...tool.url.matchAll(FIELD)].map(([, field = '']) => field));
  const others = Object.entries(input).filter(([field]) => !inUrl.has(field));
  if (!IN_QUERY.includes(tool.method)) return { url, body: JSON.stringify(Object.fromEntries(others)) };
  for (const [field, value] of others) {
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(field, textOf(one));
  }
  return { url, body: undefined };
}

/** Replaces `{field}`; a field cannot lead to another host or folder. @throws RequestRefused */
export function filledUrl(template: string, input: Input): URL {
  const [, authority = '', rest = ''] = /^(https?:\/\/[^/?#]*)(.*)$/s.exec(template) ?? [];
  if (authority.includes('{')) throw new RequestRefused('The URL in the agent file must not leave its host open.');
  const [path = '', ...tail] = rest.split(/(?=[?#])/);
  const segments = path.split('/').map((segment) => filledSegment(segment, input));
  return new URL(`${authority}${segments.join('/')}${fill(tail.join(''), input)}`);
}

function filledSegment(segment: string, input: Input): string {
  const filled = fill(segment, input);
  if (filled !== segment && /^(?:\.|%2e){0,2}$/i.test(filled)) {
    throw new RequestRefused(`${segment} cannot be ${JSON.stringify(filled)}: it is a part of the path.`);
  }
  return filled;
}

function fill(template: string, input: Input): string {
  return template.replace(FIELD, (_, field: string) => {
    const value = input[field];
    if (value === undefined || value === null) throw new RequestRefused(`The URL needs the field ${field}.`);
    return encodeURIComponent(textOf(value));
  });
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
