import type { RecordedEvent } from '../storage/event.js';
import type { Reader } from '../storage/reader.js';
import { recordedMessage } from './wire.js';

const LINK = '$>';

/** Makes the message for an event; a link is followed when the reader asked for that. */
export function readEvent(reader: Reader, resolveLinks: boolean, structuredIds: boolean) {
  return (event: RecordedEvent): object => {
    const commitPosition = String(event.position);
    if (!resolveLinks || event.type !== LINK) return { event: recordedMessage(event, structuredIds), commitPosition };
    const target = targetOf(reader, event);
    return {
      ...(target ? { event: recordedMessage(target, structuredIds) } : {}),
      link: recordedMessage(event, structuredIds),
      commitPosition,
    };
  };
}

/** The data of a link is `revision@stream`. */
function targetOf(reader: Reader, link: RecordedEvent): RecordedEvent | undefined {
  const [, revision, stream] = /^(\d{1,15})@(.+)$/s.exec(Buffer.from(link.data).toString('utf8')) ?? [];
  return revision === undefined || stream === undefined ? undefined : reader.linked(stream, Number(revision));
}
