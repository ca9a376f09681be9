import type { Discovery, Moment } from '#contracts';
import { canonical } from './calls.js';
import type { Run } from './run.js';
import type { SegmentEvent } from './segment.js';

/**
 * What is recorded of an MCP server that was asked: only what is new, so that it may be asked at any time and twice. The
 * model is told once that it has gone, and once that it is back; one that was started again meanwhile, both at once.
 */
export function serverEvents(
  run: Run,
  found: Discovery,
  place: { readonly segment: number; readonly at: Moment },
): readonly SegmentEvent[] {
  const known = run.servers[found.server]?.discovery;
  const discovery = news(known, found);
  return known && canonical(known) === canonical(discovery)
    ? []
    : [{ type: 'ToolsDiscovered', data: { ...place, discovery } }];
}

function news(known: Discovery | undefined, found: Discovery): Discovery {
  if (found.state === 'unavailable') return known?.state === 'unavailable' ? known : found;
  const { ended = 'Nobody knows why it ended.', ...ready } = found;
  if (known?.state !== 'ready') return ready;
  const { ended: _told, ...before } = known;
  const isSuccessor =
    ready.instance !== undefined && before.instance !== undefined && ready.instance !== before.instance;
  if (isSuccessor) return { ...ready, ended };
  return canonical(before) === canonical(ready) ? known : ready;
}

/** The MCP server that a tool is of, as far as it was ever reached. */
export const serverOf = (run: Run, tool: string): string | undefined =>
  Object.entries(run.servers).find(([, { tools }]) => tools.some(({ name }) => name === tool))?.[0];
