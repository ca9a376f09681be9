import { z } from 'zod';
import { SeedFile, WorkspaceSpec } from './agent.js';
import { BlobRef, ResultBlock } from './content.js';
import { Discovery, ExternalTools, ToolEffect } from './external-tools.js';
import { CallId, Moment, RunId, SegmentNumber } from './ids.js';
import { JsonObject } from './json.js';
import type { MessageContract } from './messages.js';
import { CallOutcome } from './run-events.js';

/**
 * The requests to a workspace-manager, over NATS request/reply. Each names the segment that asks: one from an older
 * segment than the newest seen is refused with the code `fenced` (law 4).
 */
const asked = { runId: RunId, segment: SegmentNumber };

/** From 2 on: the call is run again after a doubt, which to the journal is another call. 1 when absent. */
const Attempt = z.int().positive().optional();

/** Any manager may answer: the one that already holds the run's workspace, or one that creates it. */
export const OpenWorkspace = {
  subject: 'baton.ask.workspace.open',
  request: z.object({ ...asked, spec: WorkspaceSpec, files: z.array(SeedFile), external: ExternalTools.optional() }),
  answer: z.object({
    /** The manager that holds the workspace; the other requests go to `workspaceSubject(holder, verb)`. */
    holder: z.string(),
    created: z.boolean(),
  }),
} as const;

/** The state of a call in a workspace's journal. */
export const CallState = z.discriminatedUnion('state', [
  /** The journal has never heard of it: it may be run now. */
  z.object({ state: z.literal('absent') }),
  z.object({ state: z.literal('running'), startedAt: Moment }),
  z.object({
    state: z.literal('finished'),
    startedAt: Moment,
    endedAt: Moment,
    outcome: CallOutcome,
    content: z.array(ResultBlock),
    whole: BlobRef.optional(),
  }),
  /** It was started and nobody can say how it ended. */
  z.object({ state: z.literal('unknown'), startedAt: Moment, reason: z.string() }),
]);
export type CallState = z.infer<typeof CallState>;

/** Runs a call at most once: a call id that the journal knows is not started again, its state is the answer. */
export const RunCall = {
  verb: 'run-call',
  request: z.object({
    ...asked,
    callId: CallId,
    attempt: Attempt,
    tool: z.string(),
    input: JsonObject,
    /** What a second execution would do, as the run sees it: a call that is cut short is judged by it. `once` when absent. */
    effect: ToolEffect.optional(),
    /** The call is stopped after this long, in milliseconds. */
    limitMs: z.number().positive(),
    /** What the model may be shown of the output, in bytes. */
    outputBytes: z.int().positive(),
    /** How long to wait for its end before answering `running`, in milliseconds. */
    waitMs: z.number().nonnegative(),
  }),
  answer: CallState,
} as const;

/** Checks an input against the schema of its tool; nothing is started. */
export const CheckCall = {
  verb: 'check-call',
  request: z.object({ ...asked, tool: z.string(), input: JsonObject }),
  answer: z.object({
    /** What is wrong with the input, for the model; absent when it fits, and when nobody can tell now. */
    fault: z.string().optional(),
  }),
} as const;

/** Asks about a call without starting it. */
export const AskCall = {
  verb: 'ask-call',
  request: z.object({ ...asked, callId: CallId, attempt: Attempt, waitMs: z.number().nonnegative() }),
  answer: CallState,
} as const;

/** Stops a running call and answers with how it ended. */
export const StopCall = {
  verb: 'stop-call',
  request: z.object({ ...asked, callId: CallId, attempt: Attempt, because: z.enum(['cancelled', 'timed-out']) }),
  answer: CallState,
} as const;

/** Asks MCP servers for their tools, connecting to those that are not connected. */
export const DiscoverTools = {
  verb: 'discover-tools',
  request: z.object({ ...asked, servers: z.array(z.string()).min(1) }),
  answer: z.object({ discoveries: z.array(Discovery) }),
} as const;

/**
 * Said on plain NATS as `baton.server.lost.<run>` by the manager whose connection to an MCP server broke: look at it. It may
 * get lost; whoever works on the run looks by itself now and then.
 */
export const ServerLost = {
  subject: 'baton.server.lost',
  body: z.object({ server: z.string() }),
} as const satisfies MessageContract;

/** Asks the world whether a call took effect, where its tool has a probe. */
export const ProbeCall = {
  verb: 'probe-call',
  request: z.object({ ...asked, callId: CallId, tool: z.string(), input: JsonObject }),
  answer: z.discriminatedUnion('found', [
    z.object({ found: z.literal('done'), content: z.array(ResultBlock) }),
    z.object({ found: z.literal('not-done') }),
    z.object({ found: z.literal('unknown'), reason: z.string() }),
  ]),
} as const;

/** What the journal holds, for those who compare it with the log. */
export const ReadJournal = {
  verb: 'read-journal',
  request: z.object({ runId: RunId }),
  answer: z.object({
    calls: z.array(
      z.object({
        callId: CallId,
        attempt: Attempt,
        tool: z.string(),
        segment: SegmentNumber,
        state: z.enum(['running', 'finished', 'unknown']),
        /** How often the call was really started. */
        executions: z.int().nonnegative(),
        startedAt: Moment,
      }),
    ),
  }),
} as const;

/** The subject on which the manager `holder` answers to `verb`. */
export const workspaceSubject = (holder: string, verb: string): string => `baton.ask.workspace.${holder}.${verb}`;

/**
 * Said on plain NATS as `baton.here.workspace.<holder>` by a manager that answers from now on, or can be reached again:
 * nobody else tells those who wait that what they had asked before is not being worked on any more.
 */
export const WorkspaceHere = {
  subject: 'baton.here.workspace',
  body: z.object({ holder: z.string() }),
} as const satisfies MessageContract;
