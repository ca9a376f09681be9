import type { AgentSpec } from '#contracts';
import { reserveFault } from './caps.js';

/** What is wrong with an agent although every field by itself is right; the path is that within the agent file. */
export function specFaults({
  model,
  simulate,
  caps,
}: AgentSpec): readonly { path: readonly string[]; message: string }[] {
  return [
    ...(model.name === 'simulator' && simulate === undefined
      ? [{ path: ['simulate'], message: 'say what the simulator plays, e.g. { policy: items }' }]
      : []),
    ...(reserveFault(caps) !== undefined
      ? [{ path: ['caps', 'reserveSeconds'], message: 'it must be less than caps.segmentSeconds' }]
      : []),
  ];
}
