import type { StoredEvent } from './event-log.js';

/** An event as the client hands it out. */
export interface ClientEvent {
  readonly id: string;
  readonly streamId: string;
  readonly revision: bigint;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
  readonly created: Date;
  readonly position?: { readonly commit: bigint };
}

/** The client's event in our own words: revisions as numbers, positions as text. */
export function stored(event: ClientEvent): StoredEvent {
  return {
    id: event.id,
    stream: event.streamId,
    revision: Number(event.revision),
    position: String(event.position?.commit ?? 0n),
    type: event.type,
    data: event.data,
    metadata: event.metadata,
    created: event.created.getTime(),
  };
}
