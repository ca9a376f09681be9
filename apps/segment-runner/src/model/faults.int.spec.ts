import { builtInTools, FaultSpec, inputSchemaOf, type ModelFailureKind, SimulateSpec } from '#contracts';
import { type Simulator, startSimulator } from '#testing';
import { createAnthropicModel } from './anthropic-model.js';
import { ModelFailure } from './model-failure.js';
import type { Model, ModelRequest, ModelTurn } from './model-port.js';
import { retryDelayMs } from './retry.js';
import { simulatorHeaders } from './simulate-header.js';

const item = '<item>{"id":"a","number":1,"of":1,"input":"a file"}</item>';
const request: ModelRequest = {
  model: 'simulator',
  maxTokens: 1_000,
  system: 'Work.',
  tools: (['bash', 'complete_item', 'fail_item'] as const).map((name) => ({
    name,
    description: name,
    inputSchema: inputSchemaOf(builtInTools[name]),
  })),
  messages: [{ role: 'user', content: [{ type: 'text', text: item }] }],
};
const { signal } = new AbortController();

describe('a fault that the simulator plays', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator();
  });
  afterAll(() => simulator.stop());
  const playing = (faults: readonly object[], timeoutMs = 5_000, runId = 'a-run'): Model =>
    createAnthropicModel({
      baseUrl: simulator.url,
      apiKey: 'none',
      timeoutMs,
      loadBlob: () => Promise.reject(new Error('nothing is to be loaded')),
      headers: simulatorHeaders(SimulateSpec.parse({ policy: 'items', faults }), runId),
    });
  const turnOf = (model: Model, attempt: number, turn = 2): Promise<ModelTurn> =>
    model.turn(request, { signal, place: { turn, attempt } });
  const failureOf = async (turn: Promise<unknown>): Promise<ModelFailure> => {
    const error = await turn.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof ModelFailure) return error;
    throw new Error(`not a failure of the model: ${String(error)}`);
  };

  it.each<[object, ModelFailureKind]>([
    [{ kind: 'overloaded' }, 'overloaded'],
    [{ kind: 'rate-limited', retryAfterSeconds: 7 }, 'rate-limited'],
    [{ kind: 'server-error' }, 'server-error'],
    [{ kind: 'server-error', status: 502 }, 'server-error'],
    [{ kind: 'server-error', status: 503 }, 'server-error'],
    [{ kind: 'server-error', status: 504 }, 'timed-out'],
    [{ kind: 'cut', afterEvents: 0 }, 'cut-off'],
    [{ kind: 'cut', afterEvents: 1 }, 'cut-off'],
    [{ kind: 'cut', afterEvents: 5 }, 'cut-off'],
    [{ kind: 'error-event', afterEvents: 0 }, 'overloaded'],
    [{ kind: 'error-event', afterEvents: 4 }, 'overloaded'],
    [{ kind: 'malformed-input' }, 'server-error'],
  ])('%j may pass: it is tried again, and then the turn is the same as ever', async (fault, kind) => {
    const model = playing([{ ...fault, turns: [2], times: 2 }]);
    for (const attempt of [1, 2]) {
      const failure = await failureOf(turnOf(model, attempt));
      expect(failure).toMatchObject({ kind, retryable: true });
      expect(retryDelayMs(kind, attempt, failure.retryAfterMs, 0.5)).toBeGreaterThan(0);
    }
    expect(await turnOf(model, 3)).toMatchObject({ stopReason: 'tool_use' });
    expect(await turnOf(model, 1, 3)).toMatchObject({ stopReason: 'tool_use' });
  });

  it.each([0, 4])('silence after %i events is a time-out', async (afterEvents) => {
    const faults = [{ kind: 'silent', afterEvents }];
    expect(await failureOf(turnOf(playing(faults, 150), 1))).toMatchObject({ kind: 'timed-out', retryable: true });
    expect(await turnOf(playing(faults), 2)).toMatchObject({ stopReason: 'tool_use' });
  });

  it.each<[string, ModelFailureKind]>([
    ['invalid-request', 'invalid-request'],
    ['not-found', 'invalid-request'],
    ['too-large', 'invalid-request'],
    ['authentication', 'authentication'],
  ])('%s does not pass: it is not tried again', async (kind, found) => {
    const failure = await failureOf(turnOf(playing([{ kind }]), 1));
    expect(failure).toMatchObject({ kind: found, retryable: false });
    expect(retryDelayMs(found, 1, failure.retryAfterMs, 0.5)).toBeUndefined();
  });

  it.each([false, true])('the wait that the API asks for is kept (as a date: %s)', async (asDate) => {
    const faults = [{ kind: 'rate-limited', retryAfterSeconds: 60, asDate }];
    const { retryAfterMs = 0 } = await failureOf(turnOf(playing(faults), 1));
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(retryDelayMs('rate-limited', 1, retryAfterMs, 0)).toBe(Math.round(retryAfterMs));
  });

  it('slow tokens are not silence', async () => {
    const heard: string[] = [];
    const turn = await playing([{ kind: 'slow', delayMs: 20 }], 2_000).turn(request, {
      signal,
      place: { turn: 1, attempt: 1 },
      onText: (text) => heard.push(text),
    });
    expect(turn.stopReason).toBe('tool_use');
    expect(heard.join('')).toBe('I work on item 1 of 1.');
  });

  it('an answer may be cut off by its length, empty, or refused', async () => {
    expect(await turnOf(playing([{ kind: 'max-tokens' }]), 1)).toMatchObject({
      stopReason: 'max_tokens',
      content: [{ type: 'text' }],
    });
    expect(await turnOf(playing([{ kind: 'empty' }]), 1)).toMatchObject({ stopReason: 'end_turn', content: [] });
    expect(await turnOf(playing([{ kind: 'refusal' }]), 1)).toMatchObject({ stopReason: 'refusal', content: [] });
  });

  it('a call may be wrong: then it is a turn, for the tools to refuse', async () => {
    const callIn = async (kind: string) => (await turnOf(playing([{ kind }]), 1)).content[1];
    expect(await callIn('wrong-input')).toMatchObject({ name: 'bash', input: { command: [4] } });
    expect(await callIn('missing-input')).toMatchObject({ name: 'bash', input: {} });
    expect(await callIn('unknown-tool')).toMatchObject({ name: 'bash_that_is_not_there' });
  });

  it('can be ordered while the simulator runs, for one run', async () => {
    const orders = `${simulator.url}/simulator/faults`;
    const order = { fault: { kind: 'overloaded', times: 2 }, run: 'doomed' };
    const ordered = await fetch(orders, { method: 'POST', body: JSON.stringify(order) });
    expect(await ordered.json()).toMatchObject({ faults: [{ run: 'doomed', left: 2 }] });
    expect(await turnOf(playing([]), 1)).toMatchObject({ stopReason: 'tool_use' });
    const doomed = playing([], 5_000, 'doomed');
    expect(await failureOf(turnOf(doomed, 1))).toMatchObject({ kind: 'overloaded' });
    expect(await failureOf(turnOf(doomed, 2))).toMatchObject({ kind: 'overloaded' });
    expect(await turnOf(doomed, 3)).toMatchObject({ stopReason: 'tool_use' });
    await fetch(orders, { method: 'POST', body: JSON.stringify(order) });
    expect(await (await fetch(orders, { method: 'DELETE' })).json()).toEqual({ faults: [] });
    expect(await (await fetch(orders)).json()).toEqual({ faults: [] });
    const wrong = await fetch(orders, { method: 'POST', body: '{"fault":{"kind":"rain"}}' });
    expect(wrong.status).toBe(400);
  });

  it('covers every kind that an agent file may name', () => {
    const played = FaultSpec.options.flatMap((option) => {
      const { kind } = option.shape;
      return 'options' in kind ? kind.options : [...kind.values];
    });
    expect(new Set(played).size).toBe(18);
  });
});
