import type { RecordedEvent } from '../storage/event.js';
import type { Reader } from '../storage/reader.js';
import { recordedMessage } from './wire.js';

const LINK = '$>';

interface AskedForm {
  readonly resolveLinks: boolean;
  readonly structuredIds: boolean;
  /** A link opens no stream that the reader may not read: then it is not followed. */
  readonly mayRead: (stream: string) => boolean;
}

/** Makes the message for an event; a link is followed when the reader asked for that. */
export function readEvent(reader: Reader, { resolveLinks, structuredIds, mayRead }: AskedForm) {
  return (event: RecordedEvent): object => {
    const commitPosition = String(event.position);
    if (!resolveLinks || event.type !== LINK) return { event: recordedMessage(event, structuredIds), commitPosition };
    const target = targetOf(reader, event, mayRead);
    return {
      ...(target ? { event: recordedMessage(target, structuredIds) } : {}),
      link: recordedMessage(event, structuredIds),
      commitPosition,
    };
  };
}

/** The data of a link is `revision@stream`. */
function targetOf(
  reader: Reader,
  link: RecordedEvent,
  mayRead: (stream: string) => boolean,
): RecordedEvent | undefined {
  const [, revision, stream] = /^(\d{1,15})@(.+)$/s.exec(Buffer.from(link.data).toString('utf8')) ?? [];
  if (revision === undefined || stream === undefined || !mayRead(stream)) return undefined;
  return reader.linked(stream, Number(revision));
}
