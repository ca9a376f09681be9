import { z } from 'zod';
import { AgentVersion } from './agent.js';
import { BlobRef } from './content.js';
import { CallId, Moment, RunId, SegmentNumber } from './ids.js';

/** The stream `agent-<name>`: one event a version, in order. Recorded by the gateway. */
export const AgentVersionApplied = z.object({
  type: z.literal('AgentVersionApplied'),
  data: AgentVersion.extend({ at: Moment, by: z.string() }),
});
export type AgentVersionApplied = z.infer<typeof AgentVersionApplied>;

/** The stream `workspace-<id>`. Recorded by the workspace-manager that holds the workspace. */
export const WorkspaceEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('WorkspaceCreated'),
    data: z.object({ at: Moment, runId: RunId, holder: z.string(), provider: z.string() }),
  }),
  z.object({
    type: z.literal('WorkspaceLost'),
    data: z.object({ at: Moment, runId: RunId, holder: z.string(), reason: z.string() }),
  }),
  z.object({
    type: z.literal('WorkspaceReleased'),
    data: z.object({ at: Moment, runId: RunId, holder: z.string() }),
  }),
  /** The files of a run that has ended are not kept any longer. */
  z.object({
    type: z.literal('WorkspaceRemoved'),
    data: z.object({ at: Moment, runId: RunId, holder: z.string(), endedAt: Moment }),
  }),
  /** A whole output was stored; the run's own stream names it when the call's result is collected, which may be much later. */
  z.object({
    type: z.literal('OutputKept'),
    data: z.object({ at: Moment, runId: RunId, holder: z.string(), callId: CallId, whole: BlobRef }),
  }),
]);
export type WorkspaceEvent = z.infer<typeof WorkspaceEvent>;

/**
 * The stream `handoff-<runId>`: what a segment leaves for the next. The log alone suffices; this saves the reading.
 * `foldVersion` names the code that made the snapshot: a note of another version is passed over.
 */
export const HandoffNoteLeft = z.object({
  type: z.literal('HandoffNoteLeft'),
  data: z.object({
    at: Moment,
    segment: SegmentNumber,
    /** The last revision of the run's stream that the snapshot rests on. */
    revision: z.int().nonnegative(),
    foldVersion: z.int().positive(),
    /** For people. */
    done: z.string(),
    inProgress: z.string(),
    next: z.string(),
    snapshot: z.union([z.object({ inline: z.unknown() }), z.object({ blob: BlobRef })]),
  }),
});
export type HandoffNoteLeft = z.infer<typeof HandoffNoteLeft>;

/** How many notes of a run are kept. */
export const HANDOFF_NOTES_KEPT = 3;
