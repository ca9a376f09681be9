import { isJson } from '#platform';

/** Bytes of one payload that the page shows. */
const SHOWN = 32 * 1024;
const SHOWN_BINARY = 512;
const PREVIEW = 160;

export interface Shown {
  readonly text: string;
  /** How many bytes are left out; 0 when all of it is shown. */
  readonly omitted: number;
}

/** JSON is indented, other text shown as it is, and what is no text as hexadecimal numbers. */
export function shown(bytes: Uint8Array, json: boolean): Shown {
  const text = textOf(bytes.subarray(0, SHOWN));
  if (text === undefined) {
    const head = Buffer.from(bytes.subarray(0, SHOWN_BINARY)).toString('hex');
    return {
      text: head
        .replace(/(.{2})/g, '$1 ')
        .replace(/(.{48})/g, '$1\n')
        .trim(),
      omitted: beyond(bytes, SHOWN_BINARY),
    };
  }
  return { text: json && bytes.length <= SHOWN ? indented(text) : text, omitted: beyond(bytes, SHOWN) };
}

/** One line that tells payloads apart. */
export function preview(bytes: Uint8Array): string {
  const text = textOf(bytes.subarray(0, PREVIEW * 4)) ?? `${bytes.length} bytes`;
  return Array.from(text.replace(/\s+/g, ' ')).slice(0, PREVIEW).join('');
}

const beyond = ({ length }: Uint8Array, limit: number): number => Math.max(0, length - limit);

/** A payload that is cut off within a character is text all the same. */
function textOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/\ufffd{1,3}$/, '');
  return /[\ufffd\0]/.test(text) ? undefined : text;
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;

/** Indents the text itself: to parse it and write it again would change large numbers and repeated keys. */
function indented(text: string): string {
  if (!isJson(text)) return text;
  let depth = 0;
  let before = '';
  const pieces = (text.match(TOKENS) ?? []).map((token) => {
    const closing = token === '}' || token === ']';
    if (closing) depth -= 1;
    const open = before === '{' || before === '[';
    const line = (open && !closing) || before === ',' || (closing && !open) ? `\n${'  '.repeat(depth)}` : '';
    if (token === '{' || token === '[') depth += 1;
    before = token;
    return line + (token === ':' ? ': ' : token);
  });
  return pieces.join('');
}
