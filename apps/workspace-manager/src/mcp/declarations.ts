import { ToolSchema } from '@modelcontextprotocol/sdk/types.js';
import { DiscoveredTool, type ObjectSchema, type ToolEffect } from '#contracts';
import { sha256 } from '#platform';
import { type Check, checkOf } from '../tools/schemas.js';

const MOST_TOOLS = 200;
/** What the tools of one server may take together, in characters of JSON: the log and the bus take 1 MiB at once. */
const MOST_CHARACTERS = 250_000;
const NAME_CHARACTERS = 64;
const DESCRIPTION_CHARACTERS = 10_000;
const HASH_CHARACTERS = 8;

/** A tool of a server: as the model is shown it, and as the server knows it. */
export interface ListedTool {
  readonly declared: DiscoveredTool;
  readonly original: string;
  readonly check: Check;
}

/** The declared name of the server's part of a tool's name, as far as it can be told without asking. */
export const serverOf = (tool: string): string | undefined => /^([a-z0-9-]+)__/.exec(tool)?.[1];

/** Takes what can be used from what a server says about its tools; the names do not depend on the order. */
export function listedTools(
  server: string,
  found: readonly unknown[],
  only: readonly string[] | undefined,
): ListedTool[] {
  const listed = new Map<string, ListedTool>();
  let characters = 0;
  for (const candidate of found) {
    const tool = ToolSchema.safeParse(candidate).data;
    if (tool === undefined || (only !== undefined && !only.includes(tool.name))) continue;
    const name = nameOf(server, tool.name, listed);
    const inputSchema = tool.inputSchema as ObjectSchema;
    const check = usable(inputSchema);
    const declared = DiscoveredTool.safeParse({
      name,
      description: (tool.description ?? tool.title ?? tool.name).slice(0, DESCRIPTION_CHARACTERS),
      inputSchema,
      effect: effectOf(tool.annotations),
    }).data;
    if (declared === undefined || check === undefined) continue;
    characters += JSON.stringify(declared).length;
    if (characters > MOST_CHARACTERS) break;
    listed.set(name, { declared, original: tool.name, check });
  }
  return [...listed.values()].slice(0, MOST_TOOLS);
}

/** `<server>__<tool>` in the characters that models allow; one that was cut or is taken ends in a digest of the whole. */
function nameOf(server: string, tool: string, taken: ReadonlyMap<string, unknown>): string {
  const name = `${server}__${tool.replace(/[^A-Za-z0-9_-]/g, '_')}`;
  if (name.length <= NAME_CHARACTERS && !taken.has(name)) return name;
  return `${name.slice(0, NAME_CHARACTERS - HASH_CHARACTERS - 1)}_${sha256(tool).slice(0, HASH_CHARACTERS)}`;
}

/** A schema that cannot be used would spoil every request to the model, so its tool is left out. */
function usable(schema: ObjectSchema): Check | undefined {
  try {
    return checkOf(schema);
  } catch {
    return undefined;
  }
}

interface Annotations {
  readonly readOnlyHint?: boolean | undefined;
  readonly idempotentHint?: boolean | undefined;
}

function effectOf({ readOnlyHint = false, idempotentHint = false }: Annotations = {}): ToolEffect {
  if (readOnlyHint) return 'none';
  return idempotentHint ? 'idempotent' : 'once';
}
