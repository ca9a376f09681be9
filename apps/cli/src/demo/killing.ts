import type { Recorded, RunEvent } from '#contracts';
import { currentItem, type Run } from '#domain';

/** What was killed, and when in milliseconds since 1970. */
export interface Kill {
  readonly pid: number;
  readonly segment: number;
  readonly item: string;
  readonly at: number;
}

/** Kills, once, the process of the segment that has just started a command for the item at `place` (from 0). */
export function killAt(place: number, run: Run, { event }: Recorded<RunEvent>): Kill | undefined {
  const item = currentItem(run);
  const inWork = item !== undefined && item.id === run.items[place]?.id;
  if (!inWork || event.type !== 'ToolCallStarted' || event.data.tool !== 'bash') return undefined;
  // The fold of the log names the process that works on the segment now; one that has ended meanwhile is not there.
  if (run.relay.phase !== 'working') return undefined;
  const { pid } = run.relay.runner;
  const { segment } = run.relay;
  const at = Date.now();
  return killed(pid) ? { pid, segment, item: item.id, at } : undefined;
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
