import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { type Document, isMap, isNode, isPair, LineCounter, parseDocument } from 'yaml';
import { AgentSpec } from '#contracts';
import { specFaults } from '#domain';
import { type Fault, faultsOf, Misconfigured, messageOf } from '#platform';

/**
 * Reads an agent file, YAML or JSON (which is YAML too).
 * @throws Misconfigured with a line `file:line: field: what is wrong` for each fault.
 */
export function readAgentFile(file: string): AgentSpec {
  return parseAgentFile(textOf(file), file);
}

export function parseAgentFile(text: string, file: string): AgentSpec {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const { line } = lines.linePos(broken.pos[0]);
    const kind = extname(file) === '.json' ? 'JSON' : 'YAML';
    throw new Misconfigured(`${file}:${line}: this is not ${kind}: ${broken.message.replace(/\.$/, '')}.`);
  }
  const content: unknown = document.toJS();
  if (content === null) throw new Misconfigured(`${file} is empty: write what the agent is, as the README shows it.`);
  const result = AgentSpec.safeParse(content);
  const faults = result.success ? specFaults(result.data) : faultsOf(result.error);
  if (result.success && faults.length === 0) return result.data;
  const told = faults.map(({ path, message }: Fault) => ({
    line: lineOf(document, lines, path),
    sentence: `${path.map(String).join('.') || 'the file'}: ${message}`,
  }));
  const sorted = told.toSorted((a, b) => a.line - b.line);
  throw new Misconfigured(sorted.map(({ line, sentence }) => `${file}:${line}: ${sentence}`).join('\n'));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Misconfigured(`The agent file ${file} cannot be read (${messageOf(error)}): check the path.`, {
      cause: error,
    });
  }
}

/** The line of the field; of one that is missing, the line of what should hold it. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  const deepest = path.findLastIndex((_, depth) => offsetOf(document, path.slice(0, depth + 1)) !== undefined);
  const offset = deepest < 0 ? 0 : (offsetOf(document, path.slice(0, deepest + 1)) ?? 0);
  return Math.max(1, lines.linePos(offset).line);
}

/** Where the key, or the element of a list, begins. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  const within = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(within)) {
    const pair = within.items.find(({ key }) => String(key) === String(last));
    return isPair(pair) && isNode(pair.key) ? pair.key.range?.[0] : undefined;
  }
  const element: unknown = document.getIn(path, true);
  return isNode(element) ? element.range?.[0] : undefined;
}
