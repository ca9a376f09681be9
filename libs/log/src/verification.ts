import type { Recorded, RunEvent } from '#contracts';
import { compactionRequest, type History, turnRequest } from '#domain';
import { requestDigest } from '#platform';

/** A request to the model that is in the log, as it was sent and as it is when it is rebuilt (law 6). */
export interface Request {
  readonly kind: 'turn' | 'compaction';
  /** The turn, or the one before which the context was compacted. */
  readonly turn: number;
  readonly revision: number;
  readonly recorded: string;
  readonly rebuilt: string;
}

/** The revision that the request in this event was built from; undefined when it has none. */
export const builtFrom = ({ event }: Recorded<RunEvent>): number | undefined =>
  'basedOn' in event.data ? event.data.basedOn : undefined;

/** The request in this event, rebuilt from the history that it was built from; undefined when it names no digest. */
export function requestIn({ event, revision }: Recorded<RunEvent>, at: History): Request | undefined {
  if (event.type === 'ModelTurnCompleted') {
    const { turn, basedOn, requestDigest: recorded } = event.data;
    const rebuilt = requestDigest(turnRequest(at.run, at.context, basedOn));
    return { kind: 'turn', turn, revision, recorded, rebuilt };
  }
  if (event.type === 'ContextCompacted' && event.data.requestDigest !== undefined) {
    const { basedOn, requestDigest: recorded } = event.data;
    const rebuilt = requestDigest(compactionRequest(at.run, at.context, basedOn));
    return { kind: 'compaction', turn: at.run.turns + 1, revision, recorded, rebuilt };
  }
  return undefined;
}
