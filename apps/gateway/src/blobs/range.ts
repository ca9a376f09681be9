import type { IncomingHttpHeaders } from 'node:http';

/** Bytes from `first` to `last`, both included. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

const ONE_RANGE = /^bytes=(\d*)-(\d*)$/i;

/**
 * The single range that is asked for (RFC 9110, 14.2). Several at once, another unit, nonsense, or a range of what is not
 * there any more (`If-Range`) count as nothing asked: the whole is the answer.
 */
export function rangeOf(headers: IncomingHttpHeaders, bytes: number, etag: string): Range | 'beyond' | undefined {
  const [asked, from = '', to = ''] = ONE_RANGE.exec(headers.range?.trim() ?? '') ?? [];
  if (asked === undefined || (headers['if-range'] ?? etag) !== etag) return undefined;
  return from === '' ? suffixOf(to, bytes) : within(Number(from), to === '' ? Infinity : Number(to), bytes);
}

function suffixOf(length: string, bytes: number): Range | 'beyond' | undefined {
  if (length === '') return undefined;
  const wanted = Math.min(Number(length), bytes);
  return wanted === 0 ? 'beyond' : { first: bytes - wanted, last: bytes - 1 };
}

function within(first: number, last: number, bytes: number): Range | 'beyond' | undefined {
  if (last < first) return undefined;
  return first >= bytes ? 'beyond' : { first, last: Math.min(last, bytes - 1) };
}
