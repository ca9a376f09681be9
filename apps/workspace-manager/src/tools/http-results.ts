import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Body } from '../network/body.js';
import { type RawResult, rawResult } from './call-results.js';

/** Shown of an answer that is only headers; others may be long, or about the connection. */
const TELLING = ['content-type', 'content-length', 'last-modified', 'etag', 'location', 'allow', 'retry-after'];

/** An answer as the model is told it: the body, and what it says about itself in a note. */
export function httpResult(
  method: string,
  { statusCode = 0, statusMessage = '', headers }: Pick<IncomingMessage, 'statusCode' | 'statusMessage' | 'headers'>,
  { bytes, broken }: Body,
): RawResult {
  const outcome = statusCode >= 200 && statusCode < 300 ? 'ok' : 'error';
  const status = `HTTP ${statusCode} ${statusMessage.slice(0, 100)}`.trim();
  const notes = [status, ...(broken === undefined ? [] : [`This is not the whole answer: ${broken}`])];
  if (method === 'HEAD') return rawResult(outcome, headersOf(headers), notes);
  if (isText(bytes)) return rawResult(outcome, bytes, notes);
  const mediaType = mediaTypeOf(headers);
  const note = `The answer is not text: ${mediaType}, ${bytes.byteLength} bytes; it is stored`;
  return { ...rawResult(outcome, '', [...notes, note]), whole: { bytes, mediaType } };
}

/** An answer that was cut may end inside a character. */
const isText = (bytes: Buffer): boolean =>
  !bytes.includes(0) && [0, 1, 2, 3].some((cut) => isUtf8(bytes.subarray(0, bytes.byteLength - cut)));

const headersOf = (headers: IncomingHttpHeaders): string =>
  TELLING.flatMap((name) => (headers[name] === undefined ? [] : `${name}: ${String(headers[name])}`)).join('\n');

const mediaTypeOf = (headers: IncomingHttpHeaders): string =>
  (headers['content-type'] ?? 'application/octet-stream').slice(0, 200);
