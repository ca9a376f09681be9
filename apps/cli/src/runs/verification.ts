import type { Recorded, RunEvent } from '#contracts';
import { type History, replay, turnRequest } from '#domain';
import { requestDigest } from '#platform';

/** A turn whose request, rebuilt from the log, is not the one that was sent. */
interface Difference {
  readonly turn: number;
  readonly revision: number;
  readonly recorded: string;
  readonly rebuilt: string;
}

export interface Verification {
  readonly turns: number;
  readonly differences: readonly Difference[];
}

/** Rebuilds the request of every turn from the events before it and compares it with the one that was sent (law 6). */
export function verification(events: readonly Recorded<RunEvent>[]): Verification {
  const differences: Difference[] = [];
  let turns = 0;
  let history: History | undefined;
  for (const recorded of events) {
    const { event, revision } = recorded;
    if (event.type === 'ModelTurnCompleted' && history !== undefined) {
      turns += 1;
      const { turn, basedOn, requestDigest: sent } = event.data;
      const rebuilt = requestDigest(turnRequest(history.run, history.context, basedOn));
      if (rebuilt !== sent) differences.push({ turn, revision, recorded: sent, rebuilt });
    }
    history = replay(history, recorded);
  }
  return { turns, differences };
}
