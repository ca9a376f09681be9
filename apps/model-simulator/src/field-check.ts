import { invalid } from './api-error.js';

export type Fields = Readonly<Record<string, unknown>>;

/** Names the place of a fault; called only when there is one, since paths cost more than the checks. */
export type Place = () => string;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Asserts an object without fields other than `known`. */
export function checkFields(value: unknown, known: ReadonlySet<string>, place: Place): Fields {
  if (!isFields(value)) throw invalid(`${place()}: Input should be an object`);
  for (const name in value) {
    if (!known.has(name)) throw invalid(`${[place(), name].filter(Boolean).join('.')}: Extra inputs are not permitted`);
  }
  return value;
}

export function checkString(value: unknown, place: Place): asserts value is string {
  if (value === undefined) throw invalid(`${place()}: Field required`);
  if (typeof value !== 'string') throw invalid(`${place()}: Input should be a valid string`);
}

export function checkBoolean(value: unknown, place: Place): asserts value is boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(`${place()}: Input should be a valid boolean`);
}

export function checkCount(value: unknown, least: number, place: Place): asserts value is number {
  if (value === undefined) throw invalid(`${place()}: Field required`);
  if (!Number.isInteger(value)) throw invalid(`${place()}: Input should be a valid integer`);
  if ((value as number) < least) throw invalid(`${place()}: Input should be greater than or equal to ${least}`);
}

export function checkPattern(value: unknown, pattern: RegExp, place: Place): asserts value is string {
  checkString(value, place);
  if (!pattern.test(value)) throw invalid(`${place()}: String should match pattern '${pattern.source}'`);
}
