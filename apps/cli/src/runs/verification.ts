import type { Recorded, RunEvent } from '#contracts';
import { compactionRequest, type History, replay, turnRequest } from '#domain';
import { requestDigest } from '#platform';

/** A request that, rebuilt from the log, is not the one that was sent. */
interface Difference {
  /** The turn, or the one before which the context was compacted. */
  readonly turn: number;
  readonly revision: number;
  readonly recorded: string;
  readonly rebuilt: string;
}

export interface Verification {
  readonly turns: number;
  readonly compactions: number;
  readonly differences: readonly Difference[];
}

/**
 * Rebuilds every request to the model from the events that it was built from, and compares it with the one that was sent
 * (law 6). What others recorded while the model was thinking is not among those events.
 */
export function verification(events: readonly Recorded<RunEvent>[]): Verification {
  const differences: Difference[] = [];
  let [turns, compactions] = [0, 0];
  const histories: History[] = [];
  for (const recorded of events) {
    const { event, revision } = recorded;
    const at = 'basedOn' in event.data ? histories[event.data.basedOn] : undefined;
    if (event.type === 'ModelTurnCompleted' && at) {
      turns += 1;
      const { turn, basedOn, requestDigest: sent } = event.data;
      const rebuilt = requestDigest(turnRequest(at.run, at.context, basedOn));
      if (rebuilt !== sent) differences.push({ turn, revision, recorded: sent, rebuilt });
    }
    if (event.type === 'ContextCompacted' && at && event.data.requestDigest !== undefined) {
      compactions += 1;
      const { basedOn, requestDigest: sent } = event.data;
      const rebuilt = requestDigest(compactionRequest(at.run, at.context, basedOn));
      if (rebuilt !== sent) differences.push({ turn: at.run.turns + 1, revision, recorded: sent, rebuilt });
    }
    histories.push(replay(histories.at(-1), recorded));
  }
  return { turns, compactions, differences };
}
