import type { Recorded, RunEvent, RunId } from '#contracts';
import { evolve, type Run } from '#domain';
import { follow } from '../api/follow.js';
import type { Gateway } from '../api/gateway.js';
import { barOf } from '../runs/bar.js';
import { lineOf } from '../runs/live-line.js';
import type { LiveView } from '../runs/live-view.js';
import { recordedOf } from '../runs/recorded.js';
import { type Kill, killAt } from './killing.js';

/** Item 7, counted from 0. */
const FATAL_PLACE = 6;

/** Shows the run until it has ended, and kills once on the way. */
export async function showRelay(
  gateway: Gateway,
  id: RunId,
  view: LiveView,
  signal: AbortSignal,
): Promise<Kill | undefined> {
  let run: Run | undefined;
  let kill: Kill | undefined;
  for await (const shown of follow(gateway.http, id, { from: 0, signal })) {
    const recorded = recordedOf(shown);
    run = evolve(run, recorded);
    for (const line of linesOf(recorded, kill)) view.line(line);
    view.show(barOf(run));
    if (kill === undefined) {
      kill = killAt(FATAL_PLACE, run, recorded);
      if (kill) view.line(announced(kill));
    }
  }
  view.close();
  return kill;
}

const announced = ({ pid, segment, item }: Kill): string =>
  `  ✗ kill -9 ${pid}: the process of segment ${segment}, in the middle of item ${FATAL_PLACE + 1} (${item})`;

function linesOf({ event }: Recorded<RunEvent>, kill: Kill | undefined): readonly string[] {
  // A turn says less than the item's end, which follows.
  if (event.type === 'ModelTurnCompleted') return [];
  const line = lineOf(event);
  if (line === undefined) return [];
  const afterKill = kill !== undefined && event.type === 'SegmentStarted' && event.data.segment === kill.segment + 1;
  return [`  ${line}${afterKill ? ', and goes on where the killed one was' : ''}`];
}
