import type { Recorded, RunEvent } from '#contracts';
import { type History, replay } from '#domain';
import { builtFrom, type Request, requestIn } from '#log';

export interface Verification {
  readonly turns: number;
  readonly compactions: number;
  /** The requests that, rebuilt from the log, are not what was sent. */
  readonly differences: readonly Omit<Request, 'kind'>[];
}

/**
 * Rebuilds every request to the model from the events that it was built from, and compares it with the one that was sent
 * (law 6). What others recorded while the model was thinking is not among those events.
 */
export function verification(events: readonly Recorded<RunEvent>[]): Verification {
  const differences: Omit<Request, 'kind'>[] = [];
  const counts = { turn: 0, compaction: 0 };
  const histories: History[] = [];
  for (const recorded of events) {
    const at = histories[builtFrom(recorded) ?? -1];
    const request = at && requestIn(recorded, at);
    if (request) {
      const { kind, ...rest } = request;
      counts[kind] += 1;
      if (rest.rebuilt !== rest.recorded) differences.push(rest);
    }
    histories.push(replay(histories.at(-1), recorded));
  }
  return { turns: counts.turn, compactions: counts.compaction, differences };
}
