import type { SimulateSpec } from '#contracts';
import type { TurnPlace } from './model-port.js';

/** The headers of a request to the model simulator; a real model is never sent them. */
export type SimulatorHeaders = (place: TurnPlace | undefined) => Record<string, string>;

/** Tells the model simulator what to play, and where in which run a request stands, so that it need not remember. */
export function simulatorHeaders(spec: SimulateSpec | undefined, runId: string): SimulatorHeaders {
  const fixed = { ...(spec ? { 'baton-simulate': ascii(JSON.stringify(spec)) } : {}), 'baton-run': runId };
  return (place) =>
    place ? { ...fixed, 'baton-turn': String(place.turn), 'baton-attempt': String(place.attempt) } : fixed;
}

/** Headers carry ASCII only, so the rest of the JSON is escaped. */
const ascii = (json: string): string =>
  json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
