import { z } from 'zod';
import { JsonObject } from './json.js';

/** When a fault strikes. */
const when = {
  /** The turns of the run that it strikes, from 1; every turn when absent. */
  turns: z.array(z.int().positive()).min(1).max(1_000).optional(),
  /** How many attempts at such a turn fail before one succeeds. */
  times: z.int().positive().max(1_000).default(1),
  /** `compaction` strikes the summary that is asked for before the turn, and not the turn. */
  on: z.enum(['turn', 'compaction']).default('turn'),
};
const afterEvents = z.int().nonnegative().max(100_000).default(3);

/** Something that goes wrong with the API or with the model. */
export const FaultSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['overloaded', 'rate-limited']),
    /** The header `retry-after`, in seconds. */
    retryAfterSeconds: z.number().nonnegative().max(86_400).optional(),
    /** Writes `retry-after` as an HTTP date instead. */
    asDate: z.boolean().default(false),
    ...when,
  }),
  z.strictObject({
    kind: z.literal('server-error'),
    status: z.union([z.literal(500), z.literal(502), z.literal(503), z.literal(504)]).default(500),
    ...when,
  }),
  z.strictObject({ kind: z.enum(['invalid-request', 'authentication', 'not-found', 'too-large']), ...when }),
  /** Nothing more after so many events of the stream (0: no answer at all), a lost connection, or an error event. */
  z.strictObject({ kind: z.enum(['silent', 'cut', 'error-event']), afterEvents, ...when }),
  /** So many milliseconds between two events of the stream. */
  z.strictObject({ kind: z.literal('slow'), delayMs: z.int().positive().max(60_000), ...when }),
  z.strictObject({
    kind: z.enum([
      /** The JSON of a tool's input breaks off, although the turn ends as it should. */
      'malformed-input',
      /** Every field of a tool's input has the wrong type. */
      'wrong-input',
      /** A tool's input has no fields. */
      'missing-input',
      /** A tool that was never declared is called. */
      'unknown-tool',
      'empty',
      'refusal',
      /** The answer is cut off in its middle by the length limit. */
      'max-tokens',
    ]),
    ...when,
  }),
]);
export type FaultSpec = z.infer<typeof FaultSpec>;

const played = {
  /** How long each turn takes, in milliseconds. */
  thinkMs: z.int().nonnegative().max(600_000).default(0),
  /** A longer prompt, in tokens, is refused as too long. */
  windowTokens: z.int().positive().optional(),
  faults: z.array(FaultSpec).max(200).optional(),
};

export const ItemsPlay = z.strictObject({
  policy: z.literal('items'),
  /** The `bash` command for each item; `{id}`, `{input}`, `{call}` (from 1) and `{answer}` are replaced. */
  command: z.string().min(1).default('true'),
  callsPerItem: z.int().nonnegative().max(1_000).default(1),
  /** How many of them are asked for in one turn. */
  callsPerTurn: z.int().positive().max(100).optional(),
  /** Asked of a person (`ask_human`) before the first command of each item. */
  question: z.string().min(1).max(2_000).optional(),
  /** `false`: never calls `complete_item` or `fail_item`. */
  settle: z.boolean().optional(),
  ...played,
});
export type ItemsPlay = z.infer<typeof ItemsPlay>;

/** One turn of a script; nothing at all is an empty answer. */
export const ScriptedTurn = z.strictObject({
  /** Comes with a signature, which must come back unchanged. */
  thinking: z.string().min(1).optional(),
  redactedThinking: z.string().min(1).optional(),
  texts: z.array(z.string().regex(/\S/, 'use a text that is not blank')).default([]),
  calls: z
    .array(
      z.strictObject({
        tool: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
        input: JsonObject.default({}),
      }),
    )
    .max(100)
    .default([]),
  /** `tool_use` when there are calls, else `end_turn`. */
  stopReason: z.enum(['end_turn', 'tool_use', 'max_tokens', 'stop_sequence', 'refusal', 'pause_turn']).optional(),
});
export type ScriptedTurn = z.infer<typeof ScriptedTurn>;

export const ScriptPlay = z.strictObject({
  policy: z.literal('script'),
  /** The run's first turn plays the first of these, and so on. */
  turns: z.array(ScriptedTurn).min(1).max(1_000),
  /** After the last turn: say so and end the turn, or play the last turn for ever. */
  after: z.enum(['stop', 'repeat']).default('stop'),
  ...played,
});
export type ScriptPlay = z.infer<typeof ScriptPlay>;

/** It travels in a header. */
const MAX_CHARACTERS = 200_000;

/** What the model simulator plays for an agent; a real model never sees it. */
export const SimulateSpec = z
  .discriminatedUnion('policy', [ItemsPlay, ScriptPlay])
  .refine((spec) => JSON.stringify(spec).length <= MAX_CHARACTERS, `use at most ${MAX_CHARACTERS} characters of JSON`);
export type SimulateSpec = z.infer<typeof SimulateSpec>;
