import type { z } from 'zod';
import type { AgentSpec, Caps } from '#contracts';

/**
 * A window of 8,000 tokens: the conversation is sent whole each turn and compacted when 6,400 are used, so that the
 * figures show the relay and not how long the simulator reads a long conversation.
 */
const CONTEXT_TOKENS = 8_000;

/** Enough for every measurement: none of them should meet a cap. */
const WIDE: Partial<Caps> = {
  segmentSeconds: 600,
  reserveSeconds: 5,
  segments: 10_000,
  steps: 1_000_000,
  items: 20_000,
};

/**
 * An agent whose model answers at once. With `callsPerItem` 0 each step is a call of `complete_item`, a tool that does
 * nothing but record; else each step but an item's last runs `true` in the workspace.
 */
export function benchAgent(name: string, callsPerItem: number, caps: Partial<Caps> = {}): z.input<typeof AgentSpec> {
  return {
    name,
    model: { name: 'simulator', contextTokens: CONTEXT_TOKENS },
    instructions: 'Work through the items.',
    tools: ['bash', 'complete_item', 'fail_item'],
    caps: { ...WIDE, ...caps },
    simulate: { policy: 'items', command: 'true', callsPerItem, thinkMs: 0 },
  };
}
