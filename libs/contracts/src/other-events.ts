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

/** What a note holds: in its event, or in a blob when it is large. */
const NoteContent = z.union([z.object({ inline: z.unknown() }), z.object({ blob: BlobRef })]);
export type NoteContent = z.infer<typeof NoteContent>;

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
    snapshot: NoteContent,
  }),
});
export type HandoffNoteLeft = z.infer<typeof HandoffNoteLeft>;

/** One open run in a note: its id, phase, newest segment, newest relay revision, and what was asked of it. */
const NotedRun = z.tuple([
  RunId,
  z.enum(['between', 'scheduled', 'working', 'resting', 'landed']),
  z.int().nonnegative(),
  z.int().nonnegative(),
  z.object({ cancelled: z.boolean(), paused: z.boolean(), asked: z.boolean() }),
]);
export const NotedRuns = z.array(NotedRun);
export type NotedRuns = z.infer<typeof NotedRuns>;

/**
 * The stream `relay`: which runs were open when all relay events up to a place of the log had been read. Recorded by
 * sweepers. The log alone suffices; whoever starts reads only what came after, however many runs have ended before.
 */
export const OpenRunsNoted = z.object({
  type: z.literal('OpenRunsNoted'),
  data: z.object({
    at: Moment,
    by: z.string(),
    /** Names the code that folded them: a note of another version is passed over. */
    foldVersion: z.int().positive(),
    /** The last event that was read; where it stands tells whether this is still the log that it was read from. */
    upTo: z.object({ position: z.string().regex(/^\d+$/), stream: z.string(), revision: z.int().nonnegative() }),
    runs: NoteContent,
  }),
});
export type OpenRunsNoted = z.infer<typeof OpenRunsNoted>;

/** How many notes of open runs are kept. */
export const OPEN_RUNS_NOTES_KEPT = 3;

/** How many notes of a run are kept. */
export const HANDOFF_NOTES_KEPT = 3;
