import type { ModelPrice, RunEventOf, UsageAnswer } from '#contracts';
import { type Rig, scheduled, spec, started, startRig } from '../../test/rig.js';

const PRICE: ModelPrice = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
const usage = { inputTokens: 1_000, outputTokens: 100, cacheReadTokens: 0, cacheWriteTokens: 0 };

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.gateway.close());

const turn = (day: string, number = 1): RunEventOf['segment-runner'] => ({
  type: 'ModelTurnCompleted',
  data: {
    at: `${day}T10:00:00.000Z`,
    segment: 1,
    turn: number,
    basedOn: 2,
    requestDigest: '0'.repeat(64),
    model: 'm',
    content: [],
    stopReason: 'end_turn',
    usage,
    durationMs: 1,
  },
});
const compacted = (day: string): RunEventOf['segment-runner'] => ({
  type: 'ContextCompacted',
  data: { at: `${day}T11:00:00.000Z`, segment: 1, basedOn: 3, summary: 'So far.', usage },
});

async function aRun(price: ModelPrice | undefined, ...events: RunEventOf['segment-runner'][]): Promise<void> {
  await runOf(spec.name, price, ...events);
}
async function runOf(
  agent: string,
  price: ModelPrice | undefined,
  ...events: RunEventOf['segment-runner'][]
): Promise<void> {
  const run = await rig.aRun({ agent });
  await rig.record('coordinator', run, scheduled(1));
  const begun = started(1);
  const priced = begun.type === 'SegmentStarted' && price ? { ...begun, data: { ...begun.data, price } } : begun;
  await rig.record('segment-runner', run, priced, ...events);
}
const used = async (query = ''): Promise<UsageAnswer> =>
  (await (await rig.ask(`/v1/usage${query}`)).json()) as UsageAnswer;

describe('what agents and tenants have used', () => {
  it('is what their turns and summaries cost, those just recorded included', async () => {
    await aRun(PRICE, turn('2026-11-01'), compacted('2026-11-02'));
    await aRun(PRICE, turn('2026-11-03'));
    const one = 1_000 * 3e-6 + 100 * 15e-6;
    const { rows, total } = await used('?by=agent');
    expect(rows).toMatchObject([{ name: 'profiler', runs: 2, turns: 2, inputTokens: 3_000, outputTokens: 300 }]);
    expect(rows[0]?.dollars).toBeCloseTo(3 * one, 6);
    expect(total).toMatchObject({ runs: 2, unpricedTokens: 0 });
    await aRun(PRICE, turn('2026-11-04'));
    expect((await used('?by=tenant')).rows).toMatchObject([{ name: 'default', runs: 3, turns: 3 }]);
  });

  it('counts from a day on', async () => {
    await aRun(PRICE, turn('2026-11-01'), turn('2026-11-02', 2));
    expect((await used('?since=2026-11-02')).total).toMatchObject({ turns: 1, inputTokens: 1_000 });
    expect((await used('?since=2026-11-03')).total).toMatchObject({ turns: 0, dollars: 0 });
  });

  it('has only tokens of models whose prices nobody knows, and says so', async () => {
    await rig.post('/v1/agents', { spec: { ...spec, name: 'unpriced', model: { name: 'a-new-model' } } });
    await runOf('unpriced', undefined, turn('2026-11-01'));
    await aRun(PRICE, turn('2026-11-01'));
    const { total } = await used();
    expect(total).toMatchObject({ inputTokens: 2_000, unpricedTokens: 1_100 });
    expect(total.dollars).toBeCloseTo(0.0045, 6);
  });

  it('does not miss a price of the simulator, for which nobody is paid', async () => {
    await aRun(undefined, turn('2026-11-01'));
    expect((await used()).total).toMatchObject({ inputTokens: 1_000, unpricedTokens: 0, dollars: 0 });
  });

  it('is the same to a gateway that was started later', async () => {
    await aRun(PRICE, turn('2026-11-01'), compacted('2026-11-02'));
    const before = await used();
    const later = await startRig({ log: rig.log });
    expect(await (await later.ask('/v1/usage')).json()).toEqual(before);
    await later.gateway.close();
  });

  it('is refused when the question is wrong', async () => {
    expect((await rig.ask('/v1/usage?by=run')).status).toBe(422);
    expect((await rig.ask('/v1/usage?since=yesterday')).status).toBe(422);
  });
});
