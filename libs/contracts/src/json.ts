import { z } from 'zod';

/** A JSON value. */
export type Json = z.core.util.JSONType;
/** A JSON object. */
export type JsonObject = Record<string, Json>;

/**
 * Any JSON value, as it is. What agents, tools and models say to each other is read at every step and at every start of a
 * segment, which `z.json()` would walk with a schema for each value in it, and copy: ten times as slow.
 */
export const Json = z.custom<Json>(isJson, 'is no JSON value');

/** Any JSON object, as it is. */
export const JsonObject = z.custom<JsonObject>((value) => isPlain(value) && isJson(value), 'is no JSON object');

function isJson(value: unknown): boolean {
  // A list of one's own in place of calls: however deep a model nests its words, the stack is not its to fill.
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (next === null || typeof next === 'string' || typeof next === 'boolean' || Number.isFinite(next)) continue;
    if (Array.isArray(next)) for (const each of next) left.push(each);
    else if (isPlain(next)) for (const key of Object.keys(next)) left.push(next[key]);
    else return false;
  }
  return true;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
