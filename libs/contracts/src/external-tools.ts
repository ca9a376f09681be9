import { z } from 'zod';
import { JsonObject } from './json.js';

/**
 * What a second execution of the same call would do. `none`: it changes nothing; `idempotent`: it brings about the same
 * state again when it carries the same key; `once`: it may do harm, so a call in doubt is never repeated unasked.
 */
export const ToolEffect = z.enum(['none', 'idempotent', 'once']);
export type ToolEffect = z.infer<typeof ToolEffect>;

/** When a person must agree before a call. `when`: a pattern (regular expression) for each field named; one that fits asks. */
export const ApprovalRule = z.union([
  z.enum(['always', 'never']),
  z.strictObject({
    when: z
      .record(z.string().min(1), z.string().min(1).max(1_000).refine(isPattern, 'is no regular expression'))
      .refine((fields) => Object.keys(fields).length > 0, 'name at least one field of the input'),
  }),
]);
export type ApprovalRule = z.infer<typeof ApprovalRule>;

/** `inDoubt`: who is asked when nobody can know whether a call took effect. */
export const EffectRule = z.strictObject({
  effect: ToolEffect.optional(),
  inDoubt: z.enum(['model', 'person']).optional(),
});
export type EffectRule = z.infer<typeof EffectRule>;

/** The name of a secret: an upper-case identifier. */
export const SecretName = z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'use upper-case letters, digits and _');

/** A JSON schema of an object (draft 2020-12). */
export const ObjectSchema = JsonObject;
export type ObjectSchema = z.infer<typeof ObjectSchema>;

const toolName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'use 1 to 63 lower-case letters, digits and _, beginning with a letter');
const url = z
  .string()
  .min(1)
  .max(8_000)
  .regex(/^https?:\/\//, 'begin with http:// or https://');
const headers = z.record(z.string().regex(/^[A-Za-z0-9-]+$/, 'use letters, digits and -'), z.string());

/**
 * A tool that is one HTTP request. `{field}` in the URL is replaced by that field of the input, encoded; the other fields
 * are the query (GET, HEAD, DELETE) or the JSON body. Header values may hold `{secret:NAME}`.
 */
export const HttpTool = z.strictObject({
  name: toolName,
  description: z.string().min(1).max(10_000),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  url,
  input: ObjectSchema.default({ type: 'object', properties: {} }),
  headers: headers.default({}),
  /** GET and HEAD have none and PUT and DELETE are idempotent unless told otherwise; the others count as `once`. */
  effect: ToolEffect.optional(),
  /**
   * A GET that tells whether a call took effect: 2xx means it did (the answer is its result), 404 that it did not.
   * Beside the input's fields the URL may name `{call}`, the value of the `Idempotency-Key` that the call was sent with.
   */
  probe: z.strictObject({ url, headers: headers.default({}) }).optional(),
  /** Whether the address may be private (loopback, link-local, RFC 1918 …). */
  allowPrivate: z.boolean().default(false),
});
export type HttpTool = z.infer<typeof HttpTool>;

/** An MCP server: over streamable HTTP (`url`) or over stdio (`command`, started inside the workspace). */
export const McpServer = z.union([
  z.strictObject({
    url,
    headers: headers.default({}),
    allowPrivate: z.boolean().default(false),
    /** Only these of its tools; all when absent. */
    tools: z.array(z.string().min(1)).optional(),
  }),
  z.strictObject({
    command: z.array(z.string().min(1)).min(1).max(100),
    env: z.record(z.string(), z.string()).default({}),
    tools: z.array(z.string().min(1)).optional(),
  }),
]);
export type McpServer = z.infer<typeof McpServer>;

/** The parts of an agent's spec that its workspace needs for tools beyond its own. */
export const ExternalTools = z.object({
  http: z.array(HttpTool),
  mcp: z.record(z.string(), McpServer),
  secrets: z.array(SecretName),
});
export type ExternalTools = z.infer<typeof ExternalTools>;

/** A tool of an MCP server as the model is shown it: named `<server>__<tool>`. */
export const DiscoveredTool = z.object({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: z.string().max(10_000),
  inputSchema: ObjectSchema,
  effect: ToolEffect,
});
export type DiscoveredTool = z.infer<typeof DiscoveredTool>;

/** What became of asking an MCP server for its tools. */
export const Discovery = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('ready'),
    server: z.string(),
    tools: z.array(DiscoveredTool).max(200),
    /** Names this start of the server, or this session with it; absent when nobody can tell one from the next. */
    instance: z.string().max(100).optional(),
    /** Why the instance before it has ended. */
    ended: z.string().max(2_000).optional(),
    /** An instance is a session with the server, which itself may have gone on; absent where it is a start of its process. */
    hasSessions: z.literal(true).optional(),
  }),
  z.object({ state: z.literal('unavailable'), server: z.string(), reason: z.string().max(2_000) }),
]);
export type Discovery = z.infer<typeof Discovery>;

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u').source !== '';
  } catch {
    return false;
  }
}
