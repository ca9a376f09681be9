/**
 * Finds the values of secrets in outputs, in the forms that programs give them, and puts `[secret NAME]` there.
 *
 * R1. A form is a row of units, each with its spellings: so `p%61ss` and `p\u0061ss` are found, mixed spellings too.
 * R2. Base64 is found at each of its three alignments, so inside `user:password` as well; wrapped lines do not hide it.
 * R3. Text may come in pieces: what may be the start of a secret is held back until it is known.
 *
 * Everything works on bytes, as text of one character a byte ('latin1').
 */

export interface SecretValue {
  readonly name: string;
  readonly value: string;
}

interface Form {
  readonly name: string;
  readonly units: readonly (readonly string[])[];
}

/** Lines of a value of several lines are kept out by themselves from this length on. */
const LINE_CHARACTERS = 16;
/** What the end of some text may still turn out to be. */
const CUT = -1;
const NOT_THERE = -2;

export class Redactor {
  private readonly byFirst = new Map<string, Form[]>();

  constructor(secrets: readonly SecretValue[]) {
    for (const form of secrets.flatMap(formsOf)) {
      for (const first of new Set(form.units[0]?.map((spelling) => spelling[0] ?? ''))) {
        this.byFirst.set(first, [...(this.byFirst.get(first) ?? []), form]);
      }
    }
  }

  /** All of some output at once. */
  bytes(output: Buffer): Buffer {
    if (this.byFirst.size === 0) return output;
    return Buffer.from(this.pieces(output.toString('latin1'), true).done, 'latin1');
  }

  text(text: string): string {
    return this.byFirst.size === 0 ? text : this.bytes(Buffer.from(text)).toString('utf8');
  }

  /** Every text in a JSON value, the names of fields too. */
  json<T>(value: T): T {
    if (this.byFirst.size === 0) return value;
    if (typeof value === 'string') return this.text(value) as T;
    if (Array.isArray(value)) return value.map((part: unknown) => this.json(part)) as T;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [this.text(key), this.json(part)])) as T;
  }

  /** For output that comes in pieces: `rest` belongs in front of the next one. */
  pieces(text: string, last: boolean): { readonly done: string; readonly rest: string } {
    let done = '';
    let kept = 0;
    for (let at = 0; at < text.length; at += 1) {
      const forms = this.byFirst.get(text[at] ?? '');
      if (forms === undefined) continue;
      const ends = forms.map((form) => endOf(form, text, at));
      if (!last && ends.includes(CUT)) return { done: done + text.slice(kept, at), rest: text.slice(at) };
      const end = Math.max(...ends);
      if (end < 0) continue;
      done += `${text.slice(kept, at)}[secret ${forms[ends.indexOf(end)]?.name ?? ''}]`;
      kept = end;
      at = end - 1;
    }
    return { done: done + text.slice(kept), rest: '' };
  }
}

/** Where the form ends that begins at `at`; `CUT` when the text ends before that can be told. */
function endOf({ units }: Form, text: string, at: number): number {
  let places = [at];
  for (const unit of units) {
    const next = new Set(places.flatMap((place) => unit.map((spelling) => spelled(spelling, text, place))));
    if (next.has(CUT)) return CUT;
    next.delete(NOT_THERE);
    if (next.size === 0) return NOT_THERE;
    places = [...next];
  }
  return Math.max(...places);
}

function spelled(spelling: string, text: string, place: number): number {
  if (text.startsWith(spelling, place)) return place + spelling.length;
  return text.length < place + spelling.length && spelling.startsWith(text.slice(place)) ? CUT : NOT_THERE;
}

function formsOf({ name, value }: SecretValue): Form[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const parts = lines.length > 1 ? lines.filter((line) => line.length >= LINE_CHARACTERS) : [];
  return [value, ...parts].flatMap((part) => [
    { name, units: Array.from(part, spellings) },
    { name, units: wrapped([...Buffer.from(part)].map(hexOf)) },
    ...[0, 1, 2].flatMap((alignment) => base64Of(Buffer.from(part), alignment).map((units) => ({ name, units }))),
  ]);
}

/** One character as it stands, percent-encoded, and escaped as in JSON. */
function spellings(character: string): string[] {
  const bytes = [...Buffer.from(character)];
  const percent = bytes.map((byte) => `%${hex(byte, 2)}`).join('');
  const units = Array.from({ length: character.length }, (_, place) => `\\u${hex(character.charCodeAt(place), 4)}`);
  const found = [
    character,
    JSON.stringify(character).slice(1, -1),
    ...(character === ' ' ? ['+'] : []),
    ...(character === '/' ? ['\\/'] : []),
    ...[percent, units.join('')].flatMap((spelling) => [spelling, upperHex(spelling)]),
  ];
  return [...new Set(found.map((spelling) => Buffer.from(spelling).toString('latin1')))];
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const upperHex = (spelling: string): string => spelling.replace(/[a-f]/g, (digit) => digit.toUpperCase());
const hexOf = (byte: number): string[] => [...new Set([hex(byte, 2), hex(byte, 2).toUpperCase()])];

/** The characters of the base64 that depend on the value alone, when it begins at this place in its group of three. */
function base64Of(bytes: Buffer, alignment: number): string[][][] {
  const text = Buffer.concat([Buffer.alloc(alignment), bytes]).toString('base64');
  const own = text.slice(Math.ceil((alignment * 8) / 6), Math.floor(((alignment + bytes.length) * 8) / 6));
  const url = own.replaceAll('+', '-').replaceAll('/', '_');
  return [...new Set([own, url])].map((core) => wrapped(Array.from(core, (character) => [character])));
}

/** Programs break long lines of such text. */
const wrapped = (units: readonly string[][]): string[][] =>
  units.map((unit, place) => (place === 0 ? unit : unit.flatMap((text) => [text, `\n${text}`, `\r\n${text}`])));
