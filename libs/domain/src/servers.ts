import type { Discovery, Moment } from '#contracts';
import { canonical } from './calls.js';
import type { Run, Server } from './run.js';
import type { SegmentEvent } from './segment.js';

/**
 * What is recorded of an MCP server that was asked: only what is new, so that it may be asked at any time and twice. The
 * model is told once that it has gone, and once that it is back; of one that was started again meanwhile, also why, as far
 * as that is known, since what it held in its memory is gone.
 */
export function serverEvents(
  run: Run,
  found: Discovery,
  place: { readonly segment: number; readonly at: Moment },
): readonly SegmentEvent[] {
  const server = run.servers[found.server];
  const known = server?.discovery;
  const discovery = news(server, found);
  return known && canonical(known) === canonical(discovery)
    ? []
    : [{ type: 'ToolsDiscovered', data: { ...place, discovery } }];
}

function news(server: Server | undefined, found: Discovery): Discovery {
  const known = server?.discovery;
  if (found.state === 'unavailable') return known?.state === 'unavailable' ? known : found;
  const { ended = 'Nobody knows why it ended.', hasSessions, ...ready } = found;
  if (isAnother(ready.instance, server?.instance)) return { ...ready, ended, ...(hasSessions && { hasSessions }) };
  if (known?.state !== 'ready') return ready;
  const { ended: _told, hasSessions: _kind, ...before } = known;
  return canonical(before) === canonical(ready) ? known : ready;
}

/** Of what has no name, nobody can tell. */
const isAnother = (now: string | undefined, before: string | undefined): boolean =>
  now !== undefined && before !== undefined && now !== before;

/** The MCP server that a tool is of, as far as it was ever reached. */
export const serverOf = (run: Run, tool: string): string | undefined =>
  Object.entries(run.servers).find(([, { tools }]) => tools.some(({ name }) => name === tool))?.[0];
