import { z } from 'zod';
import { AgentSpec, SeedFile, SomeCaps } from './agent.js';
import { Attachments } from './content.js';
import { ToolEffect } from './external-tools.js';
import { AgentName, CallId, Digest, Moment, RunId } from './ids.js';
import { JsonObject } from './json.js';
import { Activity } from './messages.js';
import { EventMetadata } from './recorded.js';
import { CallOutcome, ItemSpec } from './run-events.js';

/** `POST /v1/agents`: stores a version; the same content again answers with the version that exists. */
export const ApplyAgentRequest = z.strictObject({
  spec: AgentSpec,
  /** The files of `spec.workspace.files`; their contents were sent to `PUT /v1/blobs/:digest` before. */
  files: z.array(SeedFile).max(10_000).default([]),
});
export type ApplyAgentRequest = z.infer<typeof ApplyAgentRequest>;

/** `POST /v1/runs`. */
export const StartRunRequest = z.strictObject({
  agent: AgentName,
  /** The newest version when absent. */
  version: z.int().positive().optional(),
  input: z.string().max(200_000).optional(),
  /** Images and documents; their contents were sent to `PUT /v1/blobs/:digest` before. */
  attachments: Attachments.optional(),
  items: z.array(ItemSpec).default([]),
  /** Caps lower than the agent's. */
  caps: SomeCaps.optional(),
  /** When its work is done the run waits for further messages instead of completing. */
  stayOpen: z.boolean().optional(),
});
export type StartRunRequest = z.infer<typeof StartRunRequest>;

export const CancelRunRequest = z.strictObject({ reason: z.string().max(2_000).optional() });

const said = z.string().min(1, 'say something').max(200_000);

/** `POST /v1/runs/:id/messages`: steers the run; with an `Idempotency-Key` it is received once. */
export const SendMessageRequest = z.strictObject({
  text: said,
  /** As those of `StartRunRequest`. */
  attachments: Attachments.optional(),
  /** Gives up what the model does at the moment. */
  interrupt: z.boolean().default(false),
});
export type SendMessageRequest = z.infer<typeof SendMessageRequest>;

/** `POST /v1/runs/:id/calls/:callId/approve`: the digest binds the grant to the exact input. */
export const ApproveCallRequest = z.strictObject({ inputDigest: Digest, reason: z.string().max(2_000).optional() });
export type ApproveCallRequest = z.infer<typeof ApproveCallRequest>;

/** `POST /v1/runs/:id/calls/:callId/deny`: the model is told the reason. `decision`: of a call in doubt, what is known of it. */
export const DenyCallRequest = z.strictObject({
  inputDigest: Digest,
  reason: z.string().min(1).max(2_000),
  decision: z.enum(['done', 'not-done']).optional(),
});
export type DenyCallRequest = z.infer<typeof DenyCallRequest>;

/** `POST /v1/runs/:id/calls/:callId/answer`: the answer to `ask_human`. */
export const AnswerCallRequest = z.strictObject({ text: said });
export type AnswerCallRequest = z.infer<typeof AnswerCallRequest>;

/** `POST /v1/runs/:id/caps`: raises caps; a run that a cap has halted goes on. */
export const RaiseCapsRequest = z.strictObject({ caps: SomeCaps });
export type RaiseCapsRequest = z.infer<typeof RaiseCapsRequest>;

/** The answer to every wish: it is in the log at this revision. */
export const Receipt = z.object({
  id: RunId,
  revision: z.int().nonnegative(),
  status: z.string(),
  /** Whether this request has recorded it; false where it was recorded before, or changes nothing. */
  recorded: z.boolean(),
  /** Why nothing was recorded. */
  detail: z.string().optional(),
});
export type Receipt = z.infer<typeof Receipt>;

/** What a run waits for a person to say. */
export const WaitsFor = z.object({
  callId: CallId,
  tool: z.string(),
  input: JsonObject,
  inputDigest: Digest,
  /** `approval`: may it be run; `doubt`: did it take effect; `answer`: `ask_human`. */
  kind: z.enum(['approval', 'doubt', 'answer']),
  since: Moment,
  expiresAt: Moment,
});
export type WaitsFor = z.infer<typeof WaitsFor>;

/** One line of the effect ledger: what a tool call did outside the log, and how that is known. */
export const EffectView = z.object({
  callId: CallId,
  tool: z.string(),
  input: JsonObject,
  effect: ToolEffect,
  /** `not-started`: its input was wrong, or a person did not agree; `in-doubt`: nobody knows, and the model was told so or a person is asked. */
  state: z.enum(['waiting', 'not-started', 'running', 'in-doubt', 'done']),
  outcome: CallOutcome.optional(),
  startedAt: Moment.optional(),
  endedAt: Moment.optional(),
  /** The segment that started it, and the one that recorded its end. */
  startedBy: z.int().positive().optional(),
  endedBy: z.int().positive().optional(),
  /** How often it was started; more than once only after a doubt. */
  attempts: z.int().nonnegative(),
  /** The result was collected by a later segment than the one that started it. */
  collected: z.boolean(),
  doubt: z.object({ reason: z.string(), settledBy: z.enum(['model', 'probe', 'person']).optional() }).optional(),
  approval: z
    .object({ state: z.enum(['pending', 'granted', 'denied', 'expired']), by: z.string().optional() })
    .optional(),
});
export type EffectView = z.infer<typeof EffectView>;

/** `GET /v1/runs/:id/effects`. */
export const EffectsAnswer = z.object({
  asOf: z.int().nonnegative(),
  effects: z.array(EffectView),
  totals: z.object({
    executed: z.int().nonnegative(),
    repeated: z.int().nonnegative(),
    inDoubt: z.int().nonnegative(),
    notStarted: z.int().nonnegative(),
  }),
});
export type EffectsAnswer = z.infer<typeof EffectsAnswer>;

export const RunStatusWord = z.enum([
  'queued',
  'starting',
  'working',
  'handing-off',
  'waiting',
  'paused',
  'recovering',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
  'halted',
]);
export type RunStatusWord = z.infer<typeof RunStatusWord>;

/**
 * `alive`: beats come; `slow`: the activity takes long, the loop does not turn, or others keep the processor; `stuck`: the
 * activity is past its own limit; `silent`: beats are late.
 */
export const HeartbeatVerdict = z.enum(['alive', 'slow', 'stuck', 'silent', 'presumed-dead', 'unknown']);
export type HeartbeatVerdict = z.infer<typeof HeartbeatVerdict>;

/** What is used of a cap. */
export const CapUse = z.object({ used: z.number(), limit: z.number() });

/** `GET /v1/runs/:id`: the truth now, with what it rests on. */
export const RunView = z.object({
  id: RunId,
  agent: z.object({ name: AgentName, version: z.int().positive() }),
  status: RunStatusWord,
  /** One sentence for people: what it does, waits for, or why it ended. */
  summary: z.string(),
  asOf: z.object({ revision: z.int().nonnegative(), type: z.string(), at: Moment }),
  requestedAt: Moment,
  endedAt: Moment.optional(),
  segment: z
    .object({
      number: z.int().positive(),
      of: z.int().positive(),
      startedAt: Moment.optional(),
      deadline: Moment.optional(),
      runnerId: z.string().optional(),
      pid: z.int().positive().optional(),
    })
    .optional(),
  activity: Activity.extend({ ageMs: z.number().nonnegative() }).optional(),
  heartbeat: z
    .object({
      ageMs: z.number().nonnegative().optional(),
      verdict: HeartbeatVerdict,
      /** For how long others kept the processor from the segment of late, milliseconds. */
      heldUpMs: z.number().positive().optional(),
    })
    .optional(),
  items: z.object({
    total: z.int().nonnegative(),
    done: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    current: z.string().optional(),
  }),
  handoffs: z.int().nonnegative(),
  restarts: z.int().nonnegative(),
  openCalls: z.array(z.object({ callId: CallId, tool: z.string(), startedAt: Moment })),
  caps: z.record(z.string(), CapUse),
  /** What a person has to say before the run goes on. */
  waitsFor: z.array(WaitsFor).optional(),
  /** Messages that the model has not read yet. */
  unread: z.int().nonnegative().optional(),
  /** MCP servers that could not be reached when last asked. */
  unavailableServers: z.array(z.object({ server: z.string(), reason: z.string() })).optional(),
  usage: z
    .object({
      inputTokens: z.int().nonnegative(),
      outputTokens: z.int().nonnegative(),
      cacheReadTokens: z.int().nonnegative(),
      cacheWriteTokens: z.int().nonnegative(),
      /** Absent when the model's prices are not known. */
      dollars: z.number().nonnegative().optional(),
    })
    .optional(),
  result: z.string().optional(),
  /** Why it failed, halted or was cancelled. */
  reason: z.string().optional(),
});
export type RunView = z.infer<typeof RunView>;

/** A row of `GET /v1/runs`. */
export const RunRow = z.object({
  id: RunId,
  agent: z.object({ name: AgentName, version: z.int().positive() }),
  status: RunStatusWord,
  requestedAt: Moment,
  endedAt: Moment.optional(),
  items: z.object({ total: z.int(), done: z.int(), failed: z.int() }).optional(),
});
export type RunRow = z.infer<typeof RunRow>;

/** An event as the API shows it, the same in pages, Server-Sent Events, WebSocket and `baton events`. */
export const EventView = z.object({
  run: RunId,
  revision: z.int().nonnegative(),
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
  metadata: EventMetadata,
});
export type EventView = z.infer<typeof EventView>;

/** `GET /v1/runs/:id/events?from=&limit=`: `next` is the `from` of the page that follows; `end` says that no later event existed. */
export const EventPage = z.object({ events: z.array(EventView), next: z.int().nonnegative(), end: z.boolean() });
export type EventPage = z.infer<typeof EventPage>;

/** Frames of the WebSocket `/v1/live`, client to server. `from` is the first revision wanted (last seen + 1). */
export const LiveRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('follow'),
    run: RunId,
    from: z.int().nonnegative().default(0),
    deltas: z.boolean().default(false),
  }),
  z.strictObject({ type: z.literal('unfollow'), run: RunId }),
]);
export type LiveRequest = z.infer<typeof LiveRequest>;

/** Frames of the WebSocket `/v1/live`, server to client. */
export const LiveFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('event'), event: EventView }),
  /** All history has been sent; what follows is live. */
  z.object({ type: z.literal('caught-up'), run: RunId, revision: z.int() }),
  z.object({ type: z.literal('delta'), run: RunId, turn: z.int().positive(), text: z.string() }),
  z.object({ type: z.literal('problem'), run: RunId.optional(), code: z.string(), detail: z.string() }),
]);
export type LiveFrame = z.infer<typeof LiveFrame>;

/** `GET /v1/parked/:number`: a message of the bus that nobody could handle. */
export const ParkedMessage = z.object({
  number: z.int().positive(),
  reason: z.enum(['unreadable', 'gave-up', 'max-deliveries']),
  error: z.string(),
  /** Where it was, for whom, and under which subject. */
  stream: z.string(),
  durable: z.string(),
  subject: z.string(),
  sequence: z.number(),
  deliveries: z.number(),
  at: z.string(),
  body: z.unknown(),
});
export type ParkedMessage = z.infer<typeof ParkedMessage>;

/** `GET /v1/parked`: the newest first. */
export const ParkedList = z.object({ total: z.int().nonnegative(), newest: z.array(ParkedMessage) });
export type ParkedList = z.infer<typeof ParkedList>;

/** An error answer (RFC 9457, `application/problem+json`). `code` is stable; `errors` name fields. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;
