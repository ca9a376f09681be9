import type { SimulateSpec } from '#contracts';

/** Tells the model simulator what to play; a real model is never sent it. Headers carry ASCII only, so the rest is escaped. */
export const simulateHeader = (spec: SimulateSpec): Record<string, string> => ({
  'baton-simulate': JSON.stringify(spec).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  ),
});
