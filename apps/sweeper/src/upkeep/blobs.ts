import { streams } from '#contracts';
import { BLOB_EVENTS, type EventLog, type Position, WrongRevision } from '#log';
import type { Walk } from './notes.js';

/** How many blobs one walk looks at; about 100 bytes each. Those beyond are looked at the next day. */
const MOST = 50_000;
/** The types that tell of a blob without carrying it. */
const TELLING = ['BlobBegun', 'BlobStored'];
/** Any digest in an event names a blob, wherever it stands: what is named too often is only kept. */
const DIGEST = /[0-9a-f]{64}/g;

interface BlobsTally {
  readonly blobsUpTo?: Position;
  readonly blobsLookedAt: number;
  readonly blobsRemoved: number;
}

/**
 * Removes the blobs that no event names. First it makes a list of old ones, then it strikes out whatever is named by any
 * event of the log, and what is left is removed at the revision that it was old at: a blob is named only after it was
 * stored or renewed (K1 in libs/log/src/blobs.ts), so one that is about to be named is young.
 */
export async function removeUnnamedBlobs(walk: Walk, after: Position | undefined, most = MOST): Promise<BlobsTally> {
  const { candidates, upTo } = await listOld(walk, after, most);
  const blobsLookedAt = candidates.size;
  await strikeNamed(walk, candidates);
  let blobsRemoved = 0;
  for (const digest of candidates) {
    await walk.breathe();
    if (await removeOld(walk, digest)) blobsRemoved += 1;
  }
  return { ...(upTo === undefined ? {} : { blobsUpTo: upTo }), blobsLookedAt, blobsRemoved };
}

async function listOld(
  { log, before, breathe }: Walk,
  after: Position | undefined,
  most: number,
): Promise<{ readonly candidates: Set<string>; readonly upTo: Position | undefined }> {
  const candidates = new Set<string>();
  for await (const { stream, created, position } of log.readAll(TELLING, after)) {
    await breathe();
    if (created < before) candidates.add(stream.slice(streams.blob('').length));
    if (candidates.size >= most) return { candidates, upTo: position };
  }
  return { candidates, upTo: undefined };
}

async function strikeNamed({ log, breathe }: Walk, candidates: Set<string>): Promise<void> {
  if (candidates.size === 0) return;
  for await (const { data } of log.readBesides(BLOB_EVENTS)) {
    await breathe();
    for (const [digest] of JSON.stringify(data ?? null).matchAll(DIGEST)) candidates.delete(digest);
    if (candidates.size === 0) return;
  }
}

async function removeOld({ log, before }: Walk, digest: string): Promise<boolean> {
  const last = await log.last(streams.blob(digest));
  if (!last || last.created >= before) return false;
  return await removed(log, streams.blob(digest), last.revision);
}

async function removed(log: EventLog, stream: string, revision: number): Promise<boolean> {
  try {
    await log.remove(stream, revision);
    return true;
  } catch (error) {
    if (error instanceof WrongRevision) return false;
    throw error;
  }
}
