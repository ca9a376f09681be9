import { z } from 'zod';
import { AgentSpec, Caps, SeedFile, SomeCaps } from './agent.js';
import { Attachments, BlobRef, ModelBlock, ResultBlock, StopReason, Usage } from './content.js';
import { Discovery } from './external-tools.js';
import { AgentName, CallId, Digest, Moment, SegmentNumber } from './ids.js';
import { Json } from './json.js';
import { ModelPrice } from './prices.js';

const fact = <T extends string, D extends z.ZodRawShape>(type: T, data: D) =>
  z.object({ type: z.literal(type), data: z.object({ at: Moment, ...data }) });

const ofSegment = { segment: SegmentNumber };
const ofCall = { ...ofSegment, callId: CallId };
const reason = z.string().max(2_000);
const by = z.string().min(1).max(200);

export const ItemSpec = z.object({ id: z.string().min(1).max(500), input: Json });
export type ItemSpec = z.infer<typeof ItemSpec>;

export const SegmentEndReason = z.enum([
  'handoff',
  'drain',
  'finished',
  'waiting',
  'paused',
  'cancelled',
  'failed',
  'crashed',
]);
export type SegmentEndReason = z.infer<typeof SegmentEndReason>;

/** How a tool call ended. `rejected`: its input was wrong; `denied`: a person did not agree. Nothing was started then. */
export const CallOutcome = z.enum(['ok', 'error', 'rejected', 'denied', 'timed-out', 'cancelled']);
export type CallOutcome = z.infer<typeof CallOutcome>;

export const CapName = z.enum([
  'segments',
  'steps',
  'runMinutes',
  'restartsWithoutProgress',
  'tokens',
  'modelRetries',
  'idleTurns',
  'dollars',
]);
export type CapName = z.infer<typeof CapName>;

const ItemsTally = z.object({
  total: z.int().nonnegative(),
  done: z.int().nonnegative(),
  failed: z.int().nonnegative(),
});

/** What people and programs want of a run; recorded by the gateway. */
export const GatewayRunEvent = z.discriminatedUnion('type', [
  fact('RunRequested', {
    agent: z.object({
      name: AgentName,
      version: z.int().positive(),
      spec: AgentSpec,
      files: z.array(SeedFile),
    }),
    caps: Caps,
    input: z.string().optional(),
    /** Images and documents that come with the input. */
    attachments: Attachments.optional(),
    items: z.array(ItemSpec),
    /** When its work is done the run waits for further messages instead of completing. */
    stayOpen: z.boolean().optional(),
    /** The version of Baton's own words to the model (tools, notices) that the run is pinned to; 1 when absent. */
    words: z.int().positive().optional(),
    /** Digest of the request's body: the same `Idempotency-Key` with another body is refused. */
    requestDigest: Digest,
    by,
  }),
  fact('MessageReceived', {
    messageId: z.string(),
    text: z.string().min(1),
    attachments: Attachments.optional(),
    /** What the model does at the moment is given up for it. */
    interrupt: z.boolean(),
    /** The `ask_human` call that it answers. */
    callId: CallId.optional(),
    by,
  }),
  fact('CancelRequested', { by, reason: reason.optional() }),
  fact('PauseRequested', { by }),
  fact('ResumeRequested', { by }),
  /** Of a call in doubt: it may be run again. */
  fact('ApprovalGranted', { callId: CallId, inputDigest: Digest, by, reason: reason.optional() }),
  /** `decision`: what a person knows of a call in doubt. */
  fact('ApprovalDenied', {
    callId: CallId,
    inputDigest: Digest,
    by,
    reason,
    decision: z.enum(['done', 'not-done']).optional(),
  }),
  fact('CapsRaised', { caps: SomeCaps, by }),
  /** `segment`: the last one that was scheduled. */
  fact('RunReopened', { by, segment: SegmentNumber.optional() }),
]);
export type GatewayRunEvent = z.infer<typeof GatewayRunEvent>;

/** What the relay decides; recorded by the coordinator. */
export const CoordinatorRunEvent = z.discriminatedUnion('type', [
  fact('SegmentScheduled', {
    ...ofSegment,
    because: z.enum(['requested', 'handoff', 'drain', 'crash', 'presumed-dead', 'resumed', 'answered', 'reopened']),
    /** How many segments in a row have died without a step before this one. */
    restartsWithoutProgress: z.int().nonnegative(),
  }),
  fact('ApprovalExpired', { callId: CallId }),
  fact('RunCompleted', { items: ItemsTally, result: z.string() }),
  fact('RunFailed', { reason }),
  fact('RunCancelled', {
    by,
    effects: z.object({ executed: z.int().nonnegative(), inDoubt: z.int().nonnegative() }),
  }),
  fact('RunHalted', { cap: CapName, reason }),
]);
export type CoordinatorRunEvent = z.infer<typeof CoordinatorRunEvent>;

/** Tells a process from every other one that has or had its number. Both are as the system tells them; compared, never read. */
export const ProcessMark = z.object({
  /** Where its number counts: the machine since its last start, and the namespace there. */
  home: z.string(),
  born: z.string(),
});
export type ProcessMark = z.infer<typeof ProcessMark>;

/** Who works on a segment: enough to find the process. */
export const RunnerRef = z.object({
  runnerId: z.string(),
  host: z.string(),
  pid: z.int().positive(),
  /** Absent where the system tells nothing of it. */
  mark: ProcessMark.optional(),
});
export type RunnerRef = z.infer<typeof RunnerRef>;

/** Kinds of model failure; the first five may pass and are retried. */
export const ModelFailureKind = z.enum([
  'overloaded',
  'rate-limited',
  'timed-out',
  'cut-off',
  'server-error',
  'invalid-request',
  'authentication',
]);
export type ModelFailureKind = z.infer<typeof ModelFailureKind>;

/** What a segment did; recorded by the segment-runner. */
export const SegmentRunEvent = z.discriminatedUnion('type', [
  fact('SegmentStarted', {
    ...ofSegment,
    runner: RunnerRef,
    deadline: Moment,
    /** What the run's model costs while this segment works; absent when nobody knows. */
    price: ModelPrice.optional(),
  }),
  fact('SegmentEnded', { ...ofSegment, reason: SegmentEndReason, detail: reason.optional() }),
  fact('ModelTurnCompleted', {
    ...ofSegment,
    turn: z.int().positive(),
    /** The last revision of the run's stream that the request was built from. */
    basedOn: z.int().nonnegative(),
    /** Digest of the exact request; `baton verify` rebuilds it from the log and compares. */
    requestDigest: Digest,
    model: z.string(),
    content: z.array(ModelBlock),
    stopReason: StopReason,
    usage: Usage,
    durationMs: z.number().nonnegative(),
  }),
  fact('ModelTurnFailed', {
    ...ofSegment,
    turn: z.int().positive(),
    attempt: z.int().positive(),
    kind: ModelFailureKind,
    message: reason,
    /** When the next attempt is due, in milliseconds from `at`; absent when there will be none. */
    retryInMs: z.number().nonnegative().optional(),
  }),
  fact('ContextCompacted', {
    ...ofSegment,
    basedOn: z.int().nonnegative(),
    summary: z.string(),
    usage: Usage,
    requestDigest: Digest.optional(),
  }),
  /** An MCP server was asked for its tools: what the model is shown from now on. */
  fact('ToolsDiscovered', { ...ofSegment, discovery: Discovery }),
  fact('ItemStarted', { ...ofSegment, itemId: z.string() }),
  fact('ItemCompleted', { ...ofCall, itemId: z.string(), result: z.string().optional() }),
  fact('ItemFailed', { ...ofCall, itemId: z.string(), reason }),
  fact('ToolCallStarted', {
    ...ofCall,
    tool: z.string(),
    inputDigest: Digest,
    /** From 2 on the call is run again after a doubt; 1 when absent. */
    attempt: z.int().positive().optional(),
  }),
  fact('ToolCallCompleted', {
    ...ofCall,
    outcome: CallOutcome,
    content: z.array(ResultBlock),
    /** The whole output where `content` shows only head and tail. */
    whole: BlobRef.optional(),
    durationMs: z.number().nonnegative(),
    /** The result was found in the workspace's journal: an earlier segment had started the call. */
    collected: z.boolean().optional(),
  }),
  fact('ToolCallInDoubt', { ...ofCall, reason }),
  fact('ToolCallSettled', {
    ...ofCall,
    by: z.enum(['model', 'probe', 'person']),
    content: z.array(ResultBlock),
  }),
  fact('ApprovalRequested', {
    ...ofCall,
    inputDigest: Digest,
    expiresAt: Moment,
    /** `doubt`: the call was started and nobody knows whether it took effect; may it be run (again)? `call` when absent. */
    about: z.enum(['call', 'doubt']).optional(),
  }),
  fact('CapNeared', { ...ofSegment, cap: CapName, used: z.number(), limit: z.number() }),
]);
export type SegmentRunEvent = z.infer<typeof SegmentRunEvent>;

/** A declaration of death; recorded by the sweeper. */
export const SweeperRunEvent = z.discriminatedUnion('type', [
  fact('RunPresumedDead', {
    ...ofSegment,
    evidence: z.enum(['silence', 'no-responders', 'process-gone']),
    silentMs: z.number().nonnegative(),
  }),
]);
export type SweeperRunEvent = z.infer<typeof SweeperRunEvent>;

/** Every fact about a run; the stream `run-<id>` holds them in order. */
export const RunEvent = z.union([GatewayRunEvent, CoordinatorRunEvent, SegmentRunEvent, SweeperRunEvent]);
export type RunEvent = z.infer<typeof RunEvent>;
export type RunEventType = RunEvent['type'];

/** The events of a run by type: parsing goes straight to the one schema. */
export const runEventSchemas: ReadonlyMap<string, z.ZodType<RunEvent>> = new Map(
  [GatewayRunEvent, CoordinatorRunEvent, SegmentRunEvent, SweeperRunEvent].flatMap((union) =>
    union.options.map((option): [string, z.ZodType<RunEvent>] => [option.shape.type.value, option]),
  ),
);

/** What an app may record on a run, by app: nothing else type-checks. */
export interface RunEventOf {
  gateway: GatewayRunEvent;
  coordinator: CoordinatorRunEvent;
  'segment-runner': SegmentRunEvent;
  sweeper: SweeperRunEvent;
  /** It looks at runs and records nothing of them. */
  'workspace-manager': never;
}
export type RecordingApp = keyof RunEventOf;

/** The types that can change what should happen next to a run; each is mirrored to the bus as a doorbell. */
export const WAKING_EVENTS = [
  'RunRequested',
  'MessageReceived',
  'CancelRequested',
  'PauseRequested',
  'ResumeRequested',
  'ApprovalGranted',
  'ApprovalDenied',
  'CapsRaised',
  'RunReopened',
  'SegmentEnded',
  'RunPresumedDead',
  'SegmentScheduled',
] as const satisfies readonly RunEventType[];

/** The types that end a run. */
export const TERMINAL_EVENTS = [
  'RunCompleted',
  'RunFailed',
  'RunCancelled',
  'RunHalted',
] as const satisfies readonly RunEventType[];

/** The types after which no segment of the run is at work. */
export const SEGMENT_OVER_EVENTS = [
  'SegmentEnded',
  'RunPresumedDead',
  ...TERMINAL_EVENTS,
] as const satisfies readonly RunEventType[];

/** The few types from which the relay's state of every run can be followed, for those who watch all runs at once. */
export const RELAY_EVENTS = [
  ...WAKING_EVENTS,
  'SegmentStarted',
  ...TERMINAL_EVENTS,
] as const satisfies readonly RunEventType[];
