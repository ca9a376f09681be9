import type { Delivered } from '../protocol/event-frames.js';
import type { RecordedEvent } from '../storage/event.js';
import type { Reader } from '../storage/reader.js';

const LINK = '$>';

interface Resolution {
  readonly resolveLinks: boolean;
  /** A link opens no stream that the reader may not read: then it is not followed. */
  readonly mayRead: (stream: string) => boolean;
}

/** What is delivered for an event; a link is followed when the reader asked for that. */
export function delivery(reader: Reader, { resolveLinks, mayRead }: Resolution) {
  return (event: RecordedEvent): Delivered => {
    const { position } = event;
    return resolveLinks && event.type === LINK
      ? { event: linkTarget(reader, event, mayRead), link: event, position }
      : { event, position };
  };
}

/** The event to which a link points, if it is there; the data of a link is `revision@stream`. */
export function linkTarget(
  reader: Reader,
  link: RecordedEvent,
  mayRead: (stream: string) => boolean,
): RecordedEvent | undefined {
  const [, revision, stream] = /^(\d{1,15})@(.+)$/s.exec(Buffer.from(link.data).toString('utf8')) ?? [];
  if (revision === undefined || stream === undefined || !mayRead(stream)) return undefined;
  return reader.linked(stream, Number(revision));
}
