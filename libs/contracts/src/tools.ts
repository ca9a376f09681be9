import { z } from 'zod';
import type { ToolName } from './agent.js';
import type { ToolEffect } from './external-tools.js';

/** A tool as it is declared to the model. */
export interface ToolDeclaration<Input extends z.ZodObject = z.ZodObject> {
  readonly description: string;
  readonly input: Input;
  readonly effect: ToolEffect;
}

const path = z
  .string()
  .min(1)
  .max(4_096)
  .regex(/^[^\0]*$/, 'a path holds no NUL character');
const file = path.describe('The file, relative to the workspace, e.g. "src/main.py".');
const itemId = z.string().min(1).max(500).describe('The id of the work item.');

/** The built-in tools by name: what the model is told, and what their input must look like. */
export const builtInTools = {
  bash: {
    description:
      'Runs a command with bash in the workspace and answers with what it printed (standard output and standard error ' +
      'in order) and its exit status when that is not 0. Every call starts a new shell in the workspace; files stay, ' +
      'variables, the working directory and processes started with & do not. Long output is cut in the middle. ' +
      'A command that takes long, such as a server, can run in the background.',
    input: z.strictObject({
      command: z
        .string()
        .min(1)
        .max(100_000)
        .regex(/^[^\0]*$/, 'a command holds no NUL character')
        .describe('The command line, for bash.'),
      background: z
        .boolean()
        .optional()
        .describe('Answer at once with the id of the command, which goes on: see check_command and stop_command.'),
    }),
    effect: 'once',
  },
  read_file: {
    description:
      'Reads a text file of the workspace, or shows an image (PNG, JPEG, GIF, WebP) or a PDF. Long text files can be ' +
      'read in parts by offset and limit.',
    input: z.strictObject({
      path: file,
      offset: z.int().nonnegative().optional().describe('How many lines to leave out at the start (default 0).'),
      limit: z.int().positive().optional().describe('How many lines to read at most (default all).'),
    }),
    effect: 'none',
  },
  write_file: {
    description: 'Writes a text file of the workspace: all of it, new or instead of what was there.',
    input: z.strictObject({
      path: file,
      content: z.string().max(4_000_000).describe('The whole content.'),
    }),
    effect: 'idempotent',
  },
  edit_file: {
    description:
      'Replaces one piece of a text file of the workspace. The old text must occur exactly once: give enough of its ' +
      'surroundings to make it so.',
    input: z.strictObject({
      path: file,
      old_text: z.string().min(1).max(1_000_000).describe('The text to replace, exactly as it stands in the file.'),
      new_text: z.string().max(1_000_000).describe('What to put there; empty to delete.'),
    }),
    effect: 'once',
  },
  list_files: {
    description: 'Lists the files and folders of the workspace, one a line, folders with a slash at the end.',
    input: z.strictObject({
      path: path.optional().describe('The folder to list, relative to the workspace (default: the workspace).'),
      depth: z.int().positive().max(20).optional().describe('How many levels to list (default 1).'),
    }),
    effect: 'none',
  },
  search_files: {
    description:
      'Searches the text files of the workspace for a regular expression, and answers with the lines that match, each ' +
      'as path:line:text.',
    input: z.strictObject({
      pattern: z.string().min(1).max(1_000).describe('The regular expression (JavaScript syntax).'),
      path: path
        .optional()
        .describe('The file or folder to search, relative to the workspace (default: the workspace).'),
      glob: z.string().min(1).max(1_000).optional().describe('Only files whose path matches, e.g. "**/*.py".'),
      ignore_case: z.boolean().optional().describe('Whether upper and lower case are the same (default false).'),
      limit: z.int().positive().max(10_000).optional().describe('How many lines to answer with at most (default 200).'),
    }),
    effect: 'none',
  },
  check_command: {
    description:
      'Tells how far a command in the background is: what it has printed so far and, when it has ended, its exit status.',
    input: z.strictObject({
      command_id: z.string().min(1).max(100).describe('The id that bash answered with.'),
      wait_seconds: z.number().nonnegative().max(600).optional().describe('Wait so long for its end (default 0).'),
    }),
    effect: 'none',
  },
  stop_command: {
    description: 'Stops a command in the background and tells what it has printed.',
    input: z.strictObject({
      command_id: z.string().min(1).max(100).describe('The id that bash answered with.'),
    }),
    effect: 'idempotent',
  },
  next_item: {
    description: 'Shows the current work item once more: its id, its input and how many are open.',
    input: z.strictObject({}),
    effect: 'none',
  },
  complete_item: {
    description: 'Records that a work item is done. Call it for each item as soon as its work is finished.',
    input: z.strictObject({
      item_id: itemId,
      result: z.string().max(100_000).optional().describe('What came of it, in a few words.'),
    }),
    effect: 'none',
  },
  fail_item: {
    description: 'Records that a work item cannot be done, and why. The other items go on.',
    input: z.strictObject({
      item_id: itemId,
      reason: z.string().min(1).max(2_000).describe('Why it cannot be done.'),
    }),
    effect: 'none',
  },
  ask_human: {
    description:
      'Asks a person a question and waits for the answer, which may take days. Ask only what you cannot find out yourself.',
    input: z.strictObject({
      question: z.string().min(1).max(10_000).describe('The question, with all that is needed to answer it.'),
      options: z
        .array(z.string().min(1).max(500))
        .max(20)
        .optional()
        .describe('Answers to choose from, if there are such.'),
    }),
    effect: 'none',
  },
} as const satisfies Record<ToolName, ToolDeclaration>;

/**
 * The version of what Baton itself says to the model. A run keeps the version that it was started with, since every
 * request must be rebuilt from the log as it was sent (law 6).
 */
export const WORDS_VERSION = 4;

const readFile2: ToolDeclaration = {
  ...builtInTools.read_file,
  description: 'Reads a text file of the workspace. Long files can be read in parts by offset and limit.',
};

/** Declarations that read differently in an earlier version. */
export const EARLIER_TOOLS: Readonly<Record<number, { readonly [Name in ToolName]?: ToolDeclaration }>> = {
  1: {
    bash: {
      description:
        'Runs a command with bash in the workspace and answers with what it printed (standard output and standard error ' +
        'in order) and its exit status when that is not 0. Every call starts a new shell in the workspace; files stay, ' +
        'variables, the working directory and background processes do not. Long output is cut in the middle.',
      input: builtInTools.bash.input.omit({ background: true }),
      effect: 'once',
    },
    read_file: readFile2,
  },
  2: { read_file: readFile2 },
};

/** The JSON schema (draft 2020-12) of a tool's input, as the model is shown it. */
export const inputSchemaOf = ({ input }: ToolDeclaration): Record<string, unknown> => {
  const { $schema: _, ...schema } = z.toJSONSchema(input);
  return schema;
};
