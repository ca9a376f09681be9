import { z } from 'zod';
import { ApprovalRule, EffectRule, HttpTool, McpServer, SecretName } from './external-tools.js';
import { AgentName, Digest } from './ids.js';
import { SimulateSpec } from './simulate.js';

/** The tools that are built in. */
export const BUILT_IN_TOOLS = [
  'bash',
  'read_file',
  'write_file',
  'edit_file',
  'list_files',
  'search_files',
  'check_command',
  'stop_command',
  'next_item',
  'complete_item',
  'fail_item',
  'ask_human',
] as const;
export const ToolName = z.enum(BUILT_IN_TOOLS);
export type ToolName = z.infer<typeof ToolName>;

/** Every limit of a run; reaching one lands the run with a written reason. */
export const Caps = z.strictObject({
  /** How long one segment may work, in seconds. */
  segmentSeconds: z.number().positive().max(86_400).default(900),
  /** How much of it is kept for an orderly handoff, in seconds. */
  reserveSeconds: z.number().positive().max(3_600).default(10),
  segments: z.int().positive().max(100_000).default(200),
  /** Model turns, each with its tool calls. */
  steps: z.int().positive().max(1_000_000).default(1_000),
  runMinutes: z.number().positive().max(525_600).default(1_440),
  /** Segments in a row that may die without any step recorded. */
  restartsWithoutProgress: z.int().positive().max(100).default(5),
  /** Input and output tokens of all turns together. */
  tokens: z.int().positive().default(50_000_000),
  /** Attempts at one model turn. */
  modelRetries: z.int().nonnegative().max(100).default(8),
  /** Turns in a row in which the model neither calls a tool nor settles an item although work is open. */
  idleTurns: z.int().positive().max(100).default(3),
  /** What the model's turns may cost together, in US dollars; counts only where the model's prices are known. */
  dollars: z.number().positive().max(1_000_000).default(1_000),
  /** Further attempts at a tool call in doubt that may be repeated. */
  toolRetries: z.int().nonnegative().max(100).default(2),
  /** How long a question to a person (an approval, a doubt, `ask_human`) may wait for its answer, in minutes. */
  approvalMinutes: z.number().positive().max(525_600).default(10_080),
  /** Messages of people that wait to be read. */
  messages: z.int().positive().max(10_000).default(100),
  /** How long one tool call may take, in seconds. */
  toolSeconds: z.number().positive().max(604_800).default(600),
  items: z.int().positive().max(100_000).default(10_000),
  /** What the model is shown of one tool call's output, in bytes. */
  outputBytes: z.int().positive().max(500_000).default(30_000),
});
export type Caps = z.infer<typeof Caps>;

/** Some of the caps. Those that are not named stay absent: `Caps.partial()` would fill in their defaults. */
export const SomeCaps = z.strictObject(
  Object.fromEntries(Object.entries(Caps.shape).map(([name, limit]) => [name, limit.unwrap().optional()])),
) as unknown as z.ZodType<{ [Name in keyof Caps]?: Caps[Name] | undefined }>;
export type SomeCaps = z.infer<typeof SomeCaps>;

/**
 * How a model thinks before it speaks. Newer models decide by themselves how much (`adaptive`) and refuse a budget;
 * older ones (Claude 4.5 and before) know the budget only, in tokens, which count towards `maxTokens`.
 */
export const ThinkingSpec = z.union([
  z.enum(['adaptive', 'disabled']),
  z.strictObject({ budgetTokens: z.int().min(1_024).max(200_000) }),
]);
export type ThinkingSpec = z.infer<typeof ThinkingSpec>;

/** How much effort a model puts into its answers, where it can be told. */
export const Effort = z.enum(['low', 'medium', 'high', 'xhigh', 'max']);
export type Effort = z.infer<typeof Effort>;

/** A model that answers over the Messages API; `simulator` is the local one that plays `simulate`. */
export const ModelSpec = z
  .strictObject({
    name: z.string().min(1).max(200),
    maxTokens: z.int().positive().max(200_000).default(8_192),
    /** The model's context window in tokens; the context is compacted before it is full. */
    contextTokens: z.int().min(4_000).max(10_000_000).default(200_000),
    /** For older models only: see docs/models.md. */
    temperature: z.number().min(0).max(1).optional(),
    /** The model's own way when absent. */
    thinking: ThinkingSpec.optional(),
    effort: Effort.optional(),
  })
  .refine(({ thinking, maxTokens }) => typeof thinking !== 'object' || thinking.budgetTokens < maxTokens, {
    path: ['thinking', 'budgetTokens'],
    error: 'use less than maxTokens, which the thinking counts towards',
  })
  .refine(
    ({ thinking, temperature }) => temperature === undefined || thinking === undefined || thinking === 'disabled',
    { path: ['temperature'], error: 'leave it out: a model that thinks takes no temperature' },
  );
export type ModelSpec = z.infer<typeof ModelSpec>;

/** What the sandbox of an agent's commands allows. */
export const WorkspaceSpec = z.strictObject({
  network: z.boolean().default(false),
  memoryMb: z.int().min(16).max(1_048_576).default(512),
  processes: z.int().min(4).max(100_000).default(64),
  /** What the workspace's files may take together, in MiB. */
  diskMb: z.int().min(1).max(10_485_760).default(2_048),
  /** Environment variables of every command; a value may hold `{secret:NAME}`. */
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'use letters, digits and _'), z.string()).default({}),
  /** A folder beside the agent file that is copied into every new workspace. */
  files: z.string().min(1).optional(),
});
export type WorkspaceSpec = z.infer<typeof WorkspaceSpec>;

/** An agent file. */
export const AgentSpec = z.strictObject({
  name: AgentName,
  model: ModelSpec,
  instructions: z.string().min(1).max(200_000),
  tools: z.array(ToolName).min(1).default(['bash', 'read_file', 'write_file', 'edit_file', 'list_files']),
  /** Tools that are HTTP requests. */
  http: z.array(HttpTool).max(100).default([]),
  /** MCP servers by the prefix of their tools. */
  mcp: z
    .record(
      z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?$/, 'use 1 to 20 lower-case letters, digits and dashes'),
      McpServer,
    )
    .default({}),
  /** The secrets that `{secret:NAME}` may name; their values are never in the log. */
  secrets: z.array(SecretName).max(100).default([]),
  /** When a person must agree first, by tool; `*` at the end of a name stands for any rest. The first rule that fits holds. */
  approvals: z.record(z.string().min(1).max(100), ApprovalRule).default({}),
  /** What is known of a tool's effect better than the tool says itself, by tool as in `approvals`. */
  effects: z.record(z.string().min(1).max(100), EffectRule).default({}),
  workspace: WorkspaceSpec.prefault({}),
  caps: Caps.prefault({}),
  simulate: SimulateSpec.optional(),
});
export type AgentSpec = z.infer<typeof AgentSpec>;

/** One file that every new workspace of an agent version starts with; its content lies in the blob store. */
export const SeedFile = z.object({
  path: z.string().min(1).max(1_000),
  digest: Digest,
  bytes: z.int().nonnegative(),
  executable: z.boolean(),
});
export type SeedFile = z.infer<typeof SeedFile>;

/** An immutable version of an agent. */
export const AgentVersion = z.object({
  name: AgentName,
  version: z.int().positive(),
  digest: Digest,
  spec: AgentSpec,
  files: z.array(SeedFile).max(10_000),
});
export type AgentVersion = z.infer<typeof AgentVersion>;
