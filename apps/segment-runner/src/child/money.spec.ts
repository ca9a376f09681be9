import fc from 'fast-check';
import type { ContextMessage, ModelPrice, Usage } from '#contracts';
import { costOf, mostOf, type Run, type TurnRequest } from '#domain';
import { Runs } from '#log';
import { facts } from '#testing';
import { finished } from '../../test/kept-calls.js';
import { SegmentWorld } from '../../test/segment-world.js';
import type { Model } from '../model/model-port.js';

const PRICE: ModelPrice = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
const MICRO = 1_000_000;
const MAX_TOKENS = 600;

/** A call of the model that was paid for, beside what was known when it was made. */
interface Paid {
  readonly kind: 'turn' | 'compaction';
  readonly cost: number;
  /** In micro-dollars, before the call. */
  readonly left: number;
  /** The most that the tokens of its prompt cost that no call before has counted: these cannot be reserved. */
  readonly unforeseen: number;
  readonly told: boolean;
}

interface Life {
  readonly dollars: number;
  /** The model's window, in tokens. */
  readonly window: number;
  /** How long answers are, each a part of what they may be, by turns. */
  readonly lengths: readonly number[];
  /** How many characters the results of the calls have, by turns. */
  readonly results: readonly number[];
}

const lives = fc.record<Life>({
  dollars: fc.integer({ min: 5, max: 150 }).map((thousandths) => thousandths / 1_000),
  window: fc.integer({ min: 4_000, max: 8_000 }),
  lengths: fc.array(fc.constantFrom(0.05, 0.5, 1), { minLength: 1, maxLength: 6 }),
  results: fc.array(fc.constantFrom(10, 800, 4_000), { minLength: 1, maxLength: 6 }),
});

const isCompaction = ({ messages }: TurnRequest): boolean => JSON.stringify(messages.at(-1)).includes('<compact/>');

/** The tokens of a request: one for four characters of what the model reads. */
const promptTokens = ({ system, tools, messages }: TurnRequest): number => {
  const read = messages.flatMap(({ content }) => content.map(charactersOf));
  return Math.ceil((system.length + JSON.stringify(tools).length + read.reduce((sum, one) => sum + one, 0)) / 4);
};

const charactersOf = (block: ContextMessage['content'][number]): number => {
  if (block.type === 'text') return block.text.length;
  if (block.type === 'tool_use') return block.name.length + JSON.stringify(block.input).length;
  if (block.type !== 'tool_result') return 0;
  return block.content.reduce((sum, inner) => sum + ('text' in inner ? inner.text.length : 0), 0);
};

/** Lives a run that never ends by itself until its money is at an end. */
async function spent({
  dollars,
  window,
  lengths,
  results,
}: Life): Promise<{ readonly paid: Paid[]; readonly run: Run }> {
  const paid: Paid[] = [];
  const world: SegmentWorld = new SegmentWorld(
    facts.BEGIN,
    (log): Model => ({
      turn: async (request) => {
        const place = paid.length;
        const { run } = log.history;
        const inputTokens = promptTokens(request);
        const outputTokens = Math.ceil(request.maxTokens * (lengths[place % lengths.length] ?? 1));
        const usage: Usage = { inputTokens: 0, outputTokens, cacheReadTokens: 0, cacheWriteTokens: inputTokens };
        const kind = isCompaction(request) ? 'compaction' : 'turn';
        paid.push({
          kind,
          cost: costOf(usage, PRICE),
          left: run.caps.dollars * MICRO - run.microDollars,
          unforeseen: mostOf({ promptTokens: Math.max(0, inputTokens - run.contextTokens), maxTokens: 0 }, PRICE),
          told: run.nearedCaps.includes('dollars'),
        });
        const content = kind === 'turn' ? [facts.bash('work')] : [facts.text('Much was done.')];
        return { content, stopReason: kind === 'turn' ? 'tool_use' : 'end_turn', usage, model: 'scripted' };
      },
    }),
  );
  world.workspace.goes = () => Promise.resolve(finished('x'.repeat(results[paid.length % results.length] ?? 10)));
  const model = { name: 'scripted', maxTokens: MAX_TOKENS, contextTokens: window };
  await world.write(facts.requested({ items: ['a'], caps: { dollars }, spec: { model, tools: ['bash'] } }));
  for (;;) {
    const segment = await world.segment({ price: PRICE });
    if (!segment) break;
    await segment.work();
  }
  const run = await new Runs(world.log, { app: 'gateway', id: 'g' }).load(world.runId);
  if (!run) throw new Error('There is no run.');
  expect((await world.events()).at(-1)).toMatchObject({ type: 'RunHalted', data: { cap: 'dollars' } });
  return { paid, run };
}

/** Each call was reserved before, and what went over was no more than what nobody could foresee of the last one. */
function expectKept(dollars: number, { paid, run }: Awaited<ReturnType<typeof spent>>): void {
  for (const [place, { kind, cost, left, unforeseen, told }] of paid.entries()) {
    expect(left).toBeGreaterThan(0);
    expect(cost).toBeLessThanOrEqual(left + unforeseen);
    // Nothing uses up the rest before the agent was told.
    if (cost >= left) expect([place, kind, told]).toEqual([paid.length - 1, kind, true]);
  }
  const total = paid.reduce((sum, { cost }) => sum + cost, 0);
  expect(run.microDollars).toBe(total);
  expect(total).toBeLessThanOrEqual(dollars * MICRO + (paid.at(-1)?.unforeseen ?? 0));
}

describe('the money of a run whose context is compacted', () => {
  it('is reserved before every call, and gone over by what no one could foresee of the last call at most', () =>
    fc.assert(
      fc.asyncProperty(lives, async (life) => expectKept(life.dollars, await spent(life))),
      { numRuns: 40 },
    ));

  it('is told to be near before a compaction that may use it up', async () => {
    const life = { window: 4_000, lengths: [1], results: [4_000] };
    const toldFirst = new Set<string>();
    for (let dollars = 0.02; dollars < 0.12; dollars += 0.004) {
      const lived = await spent({ ...life, dollars });
      expectKept(dollars, lived);
      toldFirst.add(lived.paid.find(({ told }) => told)?.kind ?? 'none');
    }
    expect([...toldFirst]).toEqual(expect.arrayContaining(['turn', 'compaction']));
  });
});
