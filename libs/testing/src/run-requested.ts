import { AgentSpec, type Caps, type GatewayRunEvent, momentOf } from '#contracts';

/** A request for a run with one item. */
export function runRequested(
  now: number,
  caps: Partial<Caps> = {},
): Extract<GatewayRunEvent, { type: 'RunRequested' }> {
  const spec = AgentSpec.parse({
    name: 'tester',
    model: { name: 'simulator' },
    instructions: 'Work.',
    simulate: { policy: 'items' },
  });
  return {
    type: 'RunRequested',
    data: {
      at: momentOf(now),
      agent: { name: spec.name, version: 1, spec, files: [] },
      caps: { ...spec.caps, ...caps },
      items: [{ id: 'a', input: 'x' }],
      requestDigest: '0'.repeat(64),
      by: 'a test',
    },
  };
}
