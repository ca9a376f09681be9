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

/**
 * Levels of lists and objects. A few thousand fill the stack of whoever writes them or makes their digest; all that
 * `z.json()` could read before its own was full, and so all that is in a log, has fewer (1,460 in Node 20).
 */
const DEEPEST = 1_500;

/** Level by level: calls for each value would be slower, and what refers to itself would never end. */
function isJson(value: unknown): boolean {
  let level: readonly unknown[] | undefined = [value];
  for (let depth = 0; level && level.length > 0; depth += 1) level = depth > DEEPEST ? undefined : belowOf(level);
  return level !== undefined;
}

/** What the lists and objects of a level hold; undefined where something is no JSON. */
function belowOf(level: readonly unknown[]): readonly unknown[] | undefined {
  const below: unknown[] = [];
  for (const each of level) {
    if (isScalar(each)) continue;
    const inner: readonly unknown[] | false = Array.isArray(each) ? each : isPlain(each) && Object.values(each);
    if (!inner) return undefined;
    for (const one of inner) below.push(one);
  }
  return below;
}

const isScalar = (value: unknown): boolean =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
