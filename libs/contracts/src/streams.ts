import type { RunId } from './ids.js';

/** The names of the log's streams. The first dash ends the category. */
export const streams = {
  run: (id: RunId): string => `run-${id}`,
  agent: (name: string): string => `agent-${name}`,
  workspace: (id: RunId): string => `workspace-${id}`,
  handoff: (id: RunId): string => `handoff-${id}`,
  /** What the doctor writes to see how long it takes. */
  probe: (name: string): string => `probe-${name}`,
  blob: (digest: string): string => `blob-${digest}`,
  /** What was found that nobody kept. */
  upkeep: 'upkeep',
  /** Which runs were open at a place of the log. */
  relay: 'relay',
} as const;

/** The run that a `run-` stream belongs to, or undefined for any other stream. */
export function runOfStream(stream: string): string | undefined {
  return stream.startsWith('run-') ? stream.slice('run-'.length) : undefined;
}
