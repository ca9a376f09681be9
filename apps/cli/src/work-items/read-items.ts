import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';
import { ItemSpec, JsonObject } from '#contracts';
import { Misconfigured, messageOf } from '#platform';

/** A string, or an object whose `id`, where it has one, names it. */
const Entry = z.union([z.string(), JsonObject]);
type Entry = z.infer<typeof Entry>;

/** An entry and where it stands in its file, in words. */
interface Placed {
  readonly value: unknown;
  readonly place: string;
}

/** The rows of a CSV file, each with the line on which it ends. */
const Rows = z.array(z.object({ record: z.record(z.string(), z.string()), info: z.object({ lines: z.int() }) }));

const READERS: Readonly<Record<string, (text: string, file: string) => readonly Placed[]>> = {
  '.json': fromJson,
  '.jsonl': fromJsonLines,
  '.csv': fromCsv,
};

/**
 * The work items of a file: JSON (a list of strings or objects), JSON lines (one of them a line), or CSV (a row an object).
 * An item is named by its `id`, a string by itself, anything else by its place from 1.
 * @throws Misconfigured that names the file and the line or the place.
 */
export function readItems(file: string): readonly ItemSpec[] {
  return parseItems(textOf(file), file);
}

export function parseItems(text: string, file: string): readonly ItemSpec[] {
  const reader = READERS[extname(file).toLowerCase()];
  if (!reader) throw new Misconfigured(`${file}: items come from a .json, .jsonl or .csv file.`);
  const placed = reader(text.replace(/^\uFEFF/, ''), file);
  if (placed.length === 0) throw new Misconfigured(`${file} holds no items: write one at least, or leave --items out.`);
  const seen = new Map<string, string>();
  return placed.map((one, index) => {
    const item = itemOf(one, index, file);
    const first = seen.get(item.id);
    if (first !== undefined) {
      throw new Misconfigured(`${file}: ${one.place}: the id ${JSON.stringify(item.id)} is used already by ${first}.`);
    }
    seen.set(item.id, one.place);
    return item;
  });
}

function itemOf({ value, place }: Placed, index: number, file: string): ItemSpec {
  const entry = Entry.safeParse(value);
  if (!entry.success) throw new Misconfigured(`${file}: ${place}: an item is a string or an object.`);
  const item = ItemSpec.safeParse({ id: idOf(entry.data, index), input: entry.data });
  if (item.success) return item.data;
  throw new Misconfigured(`${file}: ${place}: the id of an item (its field \`id\`) has 1 to 500 characters.`);
}

function idOf(entry: Entry, index: number): string {
  if (typeof entry === 'string') return entry;
  const { id } = entry;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : String(index + 1);
}

function fromJson(text: string, file: string): readonly Placed[] {
  const value = json(text, file);
  if (!Array.isArray(value)) throw new Misconfigured(`${file}: a .json file of items is a list: [ … ].`);
  return value.map((entry: unknown, index) => ({ value: entry, place: `item ${index + 1}` }));
}

function fromJsonLines(text: string, file: string): readonly Placed[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const place = `line ${index + 1}`;
    return line.trim() === '' ? [] : [{ value: json(line, file, index + 1), place }];
  });
}

function fromCsv(text: string, file: string): readonly Placed[] {
  try {
    const rows = parseCsv(text, { columns: true, skip_empty_lines: true, trim: true, info: true });
    return Rows.parse(rows).map(({ record, info }) => ({ value: record, place: `line ${info.lines}` }));
  } catch (error) {
    throw new Misconfigured(`${file}: this is not CSV with a heading line: ${messageOf(error)}.`, { cause: error });
  }
}

/** `firstLine`: the one of the file on which the text begins. */
function json(text: string, file: string, firstLine = 1): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = messageOf(error);
    const place = placeOf(text, why, firstLine);
    throw new Misconfigured(`${file}: ${place}this is not JSON: ${why}.`, { cause: error });
  }
}

/** Where the parser stopped, as far as its words tell: of short texts it quotes all instead. */
function placeOf(text: string, why: string, firstLine: number): string {
  const [, position] = /position (\d+)/.exec(why) ?? [];
  if (position === undefined && !why.includes('end of JSON')) return firstLine > 1 ? `line ${firstLine}: ` : '';
  const read = position === undefined ? text.trimEnd() : text.slice(0, Number(position));
  return `line ${firstLine - 1 + read.split('\n').length}: `;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Misconfigured(`The items file ${file} cannot be read (${messageOf(error)}): check the path.`, {
      cause: error,
    });
  }
}
