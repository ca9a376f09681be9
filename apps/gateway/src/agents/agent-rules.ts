import type { ApplyAgentRequest } from '#contracts';
import { specFaults } from '#domain';
import type { FieldFault } from '../http/problems.js';

/** What is wrong with an agent although every field by itself is right. */
export function agentFaults({ spec, files }: ApplyAgentRequest): readonly FieldFault[] {
  const faults: FieldFault[] = specFaults(spec).map(({ path, message }) => ({
    field: ['spec', ...path].join('.'),
    message,
  }));
  const seen = new Set<string>();
  for (const [place, { path }] of files.entries()) {
    const field = `files.${place}.path`;
    if (seen.has(path)) faults.push({ field, message: `${path} is named twice` });
    if (leavesItsFolder(path)) faults.push({ field, message: `${path} must stay inside of the workspace` });
    seen.add(path);
  }
  return faults;
}

const leavesItsFolder = (path: string): boolean =>
  path.startsWith('/') || path.includes('\0') || path.split('/').some((part) => part === '..');
