import { type CallState, type RunEvent, SimulateSpec } from '#contracts';
import { facts, type Simulator, startSimulator } from '#testing';
import { verification } from '../apps/cli/src/runs/verification.js';
import { createAnthropicModel } from '../apps/segment-runner/src/model/anthropic-model.js';
import type { Model, ModelRequest } from '../apps/segment-runner/src/model/model-port.js';
import { simulatorHeaders } from '../apps/segment-runner/src/model/simulate-header.js';
import { finished } from '../apps/segment-runner/test/kept-calls.js';
import { SegmentWorld } from '../apps/segment-runner/test/segment-world.js';

const WINDOW_TOKENS = 20_000;
const STEPS = 2_000;
/** Each item takes three commands and is settled then: four steps. */
const items = Array.from({ length: STEPS / 4 }, (_, place) => `item-${place + 1}`);
const GOAL = 'Measure every sample of the archive.';
const INSTRUCTION = 'From now on use the fine scale.';
const OUTPUT = 'A line of what the scale has printed.\n'.repeat(30);

/** Refuses a prompt that is longer than the window, as a real model does. */
const simulate = SimulateSpec.parse({
  policy: 'items',
  command: 'measure {id} {call}',
  callsPerItem: 3,
  windowTokens: WINDOW_TOKENS,
});

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());

/** What was sent, beside the model's answers. */
function listening(model: Model): { readonly model: Model; readonly requests: ModelRequest[] } {
  const requests: ModelRequest[] = [];
  return {
    requests,
    model: {
      turn: (request, options) => {
        requests.push(request);
        return model.turn(request, options);
      },
    },
  };
}

const isCompaction = (request: ModelRequest): boolean => JSON.stringify(request.messages.at(-1)).includes('<compact/>');

const dataOf = <T extends RunEvent['type']>(events: readonly RunEvent[], wanted: T) =>
  events.flatMap(({ type, data }) => (type === wanted ? [data as Extract<RunEvent, { type: T }>['data']] : []));

it('finishes 2,000 steps with a window of 20,000 tokens, and forgets nothing that matters', async () => {
  const { model, requests } = listening(
    createAnthropicModel({
      baseUrl: simulator.url,
      apiKey: 'none',
      timeoutMs: 10_000,
      headers: simulatorHeaders(simulate, 'a-long-run'),
      loadBlob: () => Promise.reject(new Error('nothing is to be loaded')),
    }),
  );
  const world = new SegmentWorld(facts.BEGIN, () => model);
  world.workspace.goes = (): Promise<CallState> => Promise.resolve(finished(OUTPUT));
  const spec = {
    tools: ['bash' as const],
    model: { name: 'simulator', contextTokens: WINDOW_TOKENS, maxTokens: 1_000 },
    simulate,
  };
  await world.write(facts.requested({ items, input: GOAL, spec, caps: { steps: 2 * STEPS } }));
  await world.write(facts.message(INSTRUCTION));
  for (let n = 1; n <= 100; n += 1) {
    const segment = await world.segment({ segmentMs: 20_000 });
    if (!segment) break;
    await segment.work();
  }

  const events = await world.events();
  expect(dataOf(events, 'RunCompleted')).toMatchObject([{ items: { total: items.length, done: items.length } }]);
  expect(dataOf(events, 'ModelTurnFailed')).toEqual([]);
  const turns = dataOf(events, 'ModelTurnCompleted');
  expect(turns.length).toBeGreaterThanOrEqual(STEPS);
  // Nothing twice, nothing left out, whatever was summarised in between.
  const wanted = items.flatMap((id) => [1, 2, 3].map((call) => `measure ${id} ${call}`));
  expect(world.workspace.effects).toEqual(wanted);

  const largest = Math.max(
    ...[...turns, ...dataOf(events, 'ContextCompacted')].map(
      ({ usage }) => usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
    ),
  );
  expect(largest).toBeLessThanOrEqual(WINDOW_TOKENS);

  const compactions = requests.flatMap((request, place) => (isCompaction(request) ? [place] : []));
  expect(compactions.length).toBeGreaterThanOrEqual(10);
  expect(dataOf(events, 'ContextCompacted')).toHaveLength(compactions.length);
  const afterTenth = JSON.stringify(requests[(compactions[9] ?? 0) + 1]?.messages);
  expect(afterTenth).toContain(GOAL);
  expect(afterTenth).toContain(INSTRUCTION);
  expect(afterTenth).toMatch(/\d+ of 500 items completed, 0 failed, \d+ open\./);
  expect(afterTenth).toContain('The current item:');

  const verified = verification(await world.recorded());
  expect(verified).toEqual({ turns: turns.length, compactions: compactions.length, differences: [] });
}, 180_000);
