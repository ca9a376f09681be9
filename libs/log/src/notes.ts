/**
 * Notes: events that only save reading. What one holds lies in the event while it is small, and in a blob when it is large;
 * a note that cannot be used is passed over for an older one, and the log alone suffices.
 */
import type { NoteContent } from '#contracts';
import type { Blobs } from './blobs.js';
import type { EventLog, StoredEvent } from './event-log.js';

const INLINE_CHARACTERS = 300_000;

/** @returns where the content lies, for the event, and its size as JSON in characters */
export async function keptContent(
  blobs: Blobs,
  content: unknown,
): Promise<{ readonly kept: NoteContent; readonly characters: number }> {
  const text = JSON.stringify(content);
  const characters = text.length;
  if (characters <= INLINE_CHARACTERS) return { kept: { inline: content }, characters };
  return { kept: { blob: await blobs.put(Buffer.from(text), 'application/json') }, characters };
}

/** The content of a note; undefined when its blob is gone or holds no JSON. */
export async function contentOf(blobs: Blobs, kept: NoteContent): Promise<unknown> {
  if ('inline' in kept) return kept.inline;
  try {
    return JSON.parse((await blobs.get(kept.blob.digest)).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The newest note of a stream that can be used: nearly always the last one, so the older ones are read only when it cannot. */
export async function newestUsable<Note>(
  log: EventLog,
  stream: string,
  read: (stored: StoredEvent) => Promise<Note | undefined>,
): Promise<Note | undefined> {
  const last = await log.last(stream);
  if (!last) return undefined;
  const newest = await read(last);
  if (newest) return newest;
  const kept: StoredEvent[] = [];
  for await (const stored of log.read(stream)) if (stored.revision < last.revision) kept.push(stored);
  for (const stored of kept.toReversed()) {
    const older = await read(stored);
    if (older) return older;
  }
  return undefined;
}

/**
 * Bounds a stream of notes after one was appended at `revision`. It is said again now and then: whoever left the first note may
 * have died before it was said.
 */
export async function keepNewest(log: EventLog, stream: string, revision: number, newest: number): Promise<void> {
  if (revision % newest === 0) await log.limit(stream, { newest });
}
