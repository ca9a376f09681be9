import { type StreamAcl, streamAclOf } from './acl.js';
import { TOMBSTONE } from './event.js';

/** What the newest `$metadata` event of a stream says, as far as the server acts on it. */
export interface Policy {
  readonly maxCount?: number;
  /** Seconds. */
  readonly maxAge?: number;
  readonly truncateBefore?: number;
  readonly acl?: StreamAcl;
}

export const NO_POLICY: Policy = {};

export const isMetastream = (stream: string): boolean => stream.startsWith('$$');
export const metastreamOf = (stream: string): string => `$$${stream}`;
/** The stream that a metastream is about. */
export const originalOf = (metastream: string): string => metastream.slice(2);

/** What is not JSON, or not of the right kind, is ignored, as a client that wrote it would expect of a comment. */
export function policyOf(data: Uint8Array): Policy {
  const parsed = parsedObject(data);
  if (!parsed) return NO_POLICY;
  const count = positive(parsed['$maxCount']);
  const age = positive(parsed['$maxAge']);
  const before = positive(parsed['$tb']);
  return {
    ...(count === undefined ? {} : { maxCount: count }),
    ...(age === undefined ? {} : { maxAge: age }),
    ...(before === undefined ? {} : { truncateBefore: Math.min(before, TOMBSTONE) }),
    ...(parsed['$acl'] === undefined || parsed['$acl'] === null ? {} : { acl: streamAclOf(parsed['$acl']) }),
  };
}

export const isSoftDeleted = (policy: Policy): boolean => policy.truncateBefore === TOMBSTONE;

/** The metadata with another `$tb`, as JSON text: 2^63-1, which means "everything", is no JavaScript number. */
export function withTruncation(data: Uint8Array | undefined, before: string): Buffer {
  const { $tb: _replaced, ...rest } = (data && parsedObject(data)) || {};
  const others = JSON.stringify(rest).slice(1, -1);
  return Buffer.from(`{"$tb":${before}${others ? `,${others}` : ''}}`);
}

/** The JSON object in these bytes, or undefined when there is none. */
export function parsedObject(data: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const positive = (value: unknown): number | undefined => (typeof value === 'number' && value >= 0 ? value : undefined);
