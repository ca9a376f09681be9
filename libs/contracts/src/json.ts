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

/** Levels of lists and objects. What is nested deeper by ten times cannot be written: its writer calls itself for each. */
const DEEPEST = 500;

/** Level by level: calls for each value would be slower, and what refers to itself would never end. */
function isJson(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return false;
    const below: unknown[] = [];
    for (const each of level) {
      if (each === null || typeof each === 'string' || typeof each === 'boolean' || Number.isFinite(each)) continue;
      if (Array.isArray(each)) for (const inner of each) below.push(inner);
      else if (isPlain(each)) for (const key of Object.keys(each)) below.push(each[key]);
      else return false;
    }
    level = below;
  }
  return true;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
