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
  const ifRange = headers['if-range'];
  const [asked, from = '', to = ''] = ONE_RANGE.exec(headers.range?.trim() ?? '') ?? [];
  if (asked === undefined || (from === '' && to === '') || (ifRange !== undefined && ifRange !== etag))
    return undefined;
  if (from === '') {
    const length = Math.min(Number(to), bytes);
    return length === 0 ? 'beyond' : { first: bytes - length, last: bytes - 1 };
  }
  const first = Number(from);
  const last = to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (to !== '' && Number(to) < first) return undefined;
  return first >= bytes ? 'beyond' : { first, last };
}
