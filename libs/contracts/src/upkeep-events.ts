import { z } from 'zod';
import { Moment, RunId } from './ids.js';

/** What became of a finding: it was mended, or a person must do something about it. */
const Outcome = z.discriminatedUnion('mended', [
  z.object({ mended: z.literal(true), how: z.string().max(500) }),
  z.object({ mended: z.literal(false), why: z.string().max(500), toDo: z.string().max(500) }),
]);

const finding = <T extends string, K extends readonly [string, ...string[]]>(type: T, kinds: K) =>
  z.object({
    type: z.literal(type),
    data: z.object({
      at: Moment,
      kind: z.enum(kinds),
      /** Which one, by its name in the log, on the bus or on the machine. */
      thing: z.string().max(500),
      runId: RunId.optional(),
      /** Since when it has been so, as far as that is known. */
      since: Moment.optional(),
      /** One sentence for people: what was found. */
      sentence: z.string().max(1_000),
      outcome: Outcome,
    }),
  });

/** What the sweeper found on the bus or in the log. */
const OrphanFound = finding('OrphanFound', [
  'run-not-advanced',
  'segment-not-started',
  'timer-not-fired',
  'run-paused-long',
  'message-parked',
  'consumer-unused',
  'bus-stream-unknown',
]);

/** What a workspace-manager found in its own house. */
const WorkspaceOrphanFound = finding('WorkspaceOrphanFound', [
  'command-without-run',
  'group-without-owner',
  'folder-without-owner',
  'workspace-without-run',
]);

/** One sweeper has taken on the grooming of the log for a day; recorded before it begins. */
const GroomingBegun = z.object({
  type: z.literal('GroomingBegun'),
  data: z.object({ at: Moment, by: z.string() }),
});

/** What came of it, and where the next one goes on. */
const GroomingDone = z.object({
  type: z.literal('GroomingDone'),
  data: z.object({
    at: Moment,
    by: z.string(),
    /** Ends of runs up to this position of the log have been looked at; absent while there is none. */
    endsUpTo: z.string().regex(/^\d+$/).optional(),
    /** Blobs up to this position have been looked at; absent when all were, and the next grooming begins anew. */
    blobsUpTo: z.string().regex(/^\d+$/).optional(),
    notesRemoved: z.int().nonnegative(),
    blobsLookedAt: z.int().nonnegative(),
    blobsRemoved: z.int().nonnegative(),
  }),
});

/** The stream `upkeep`, capped by `UPKEEP_DAYS`. The workspace-manager records `WorkspaceOrphanFound`, the sweeper all else. */
export const UpkeepEvent = z.discriminatedUnion('type', [
  OrphanFound,
  WorkspaceOrphanFound,
  GroomingBegun,
  GroomingDone,
]);
export type UpkeepEvent = z.infer<typeof UpkeepEvent>;

/** What an app may record as a finding, by app. */
export interface FindingOf {
  sweeper: z.infer<typeof OrphanFound>;
  'workspace-manager': z.infer<typeof WorkspaceOrphanFound>;
}

/** For how long findings are kept. */
export const UPKEEP_DAYS = 90;
