import type { EffectsAnswer, Problem, Receipt, RunEventOf, RunId, RunView } from '#contracts';
import { CallId } from '#contracts';
import { type Rig, scheduled, spec, started, startRig } from '../../test/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.gateway.close());

const at = new Date().toISOString();
const soon = new Date(Date.now() + 3_600_000).toISOString();
const callId = CallId.parse('1-0');
const inputDigest = 'a'.repeat(64);
const turn: RunEventOf['segment-runner'] = {
  type: 'ModelTurnCompleted',
  data: {
    at,
    segment: 1,
    turn: 1,
    basedOn: 2,
    requestDigest: '0'.repeat(64),
    model: 'simulator',
    content: [{ type: 'tool_use', id: 'toolu_1', name: 'bash', input: { command: 'rm -rf build' } }],
    stopReason: 'tool_use',
    usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 },
    durationMs: 1,
  },
};
const requested: RunEventOf['segment-runner'] = {
  type: 'ApprovalRequested',
  data: { at, segment: 1, callId, inputDigest, expiresAt: soon },
};
const waiting: RunEventOf['segment-runner'] = { type: 'SegmentEnded', data: { at, segment: 1, reason: 'waiting' } };

async function waitingRun(): Promise<RunId> {
  const run = await rig.aRun();
  await rig.record('coordinator', run, scheduled(1));
  await rig.record('segment-runner', run, started(1), turn, requested, waiting);
  return run;
}
const wish = async (run: RunId, verb: string, body: object = {}, headers: Record<string, string> = {}) => {
  const response = await rig.post(`/v1/runs/${run}/${verb}`, body, headers);
  return { status: response.status, body: (await response.json()) as Receipt & Problem };
};
const view = async (run: RunId): Promise<RunView> => (await (await rig.ask(`/v1/runs/${run}`)).json()) as RunView;

describe('a call that waits for a person', () => {
  it('is shown with its exact input, and until when it waits', async () => {
    const run = await waitingRun();
    expect(await view(run)).toMatchObject({
      status: 'waiting',
      waitsFor: [
        { callId, tool: 'bash', input: { command: 'rm -rf build' }, inputDigest, kind: 'approval', expiresAt: soon },
      ],
      usage: { inputTokens: 10, outputTokens: 5 },
    });
  });

  it('is granted with a receipt, and a second time with the same answer', async () => {
    const run = await waitingRun();
    expect(await wish(run, 'calls/1-0/approve', { inputDigest })).toMatchObject({ status: 202, body: { revision: 6 } });
    expect((await view(run)).waitsFor).toBeUndefined();
    expect(await wish(run, 'calls/1-0/approve', { inputDigest })).toMatchObject({ status: 202, body: { revision: 6 } });
    expect(await wish(run, 'calls/1-0/deny', { inputDigest, reason: 'No.' })).toMatchObject({
      status: 409,
      body: { code: 'already-answered' },
    });
  });

  it('is not granted for another input, nor where nothing is asked', async () => {
    const run = await waitingRun();
    const other = { inputDigest: 'b'.repeat(64) };
    expect(await wish(run, 'calls/1-0/approve', other)).toMatchObject({ status: 409, body: { code: 'another-input' } });
    expect(await wish(run, 'calls/9-0/approve', other)).toMatchObject({ status: 409, body: { code: 'not-asked' } });
    expect(await wish(run, 'calls/x/approve', other)).toMatchObject({ status: 404, body: { code: 'call-unknown' } });
  });

  it('was in doubt and has been decided: the same again is known, another verdict is told what holds, also afterwards', async () => {
    const run = await waitingRun();
    await wish(run, 'calls/1-0/approve', { inputDigest });
    const place = { at, segment: 2, callId };
    const asked = { ...place, inputDigest, expiresAt: soon, about: 'doubt' as const };
    await rig.record('coordinator', run, scheduled(2));
    await rig.record(
      'segment-runner',
      run,
      started(2),
      { type: 'ToolCallStarted', data: { ...place, tool: 'bash', inputDigest } },
      { type: 'ToolCallInDoubt', data: { ...place, reason: 'Its workspace has died.' } },
      { type: 'ApprovalRequested', data: asked },
    );
    const deny = (decision: string) => wish(run, 'calls/1-0/deny', { inputDigest, decision, reason: 'I looked.' });
    expect(await deny('done')).toMatchObject({ status: 202, body: { recorded: true } });
    const detail = 'The call 1-0 is denied already by api-key (done): I looked.';
    const decided = async (): Promise<void> => {
      const other = { status: 409, body: { code: 'already-answered', detail } };
      expect(await deny('done')).toMatchObject({ status: 202, body: { recorded: false, detail } });
      expect(await deny('not-done')).toMatchObject(other);
      expect(await wish(run, 'calls/1-0/approve', { inputDigest })).toMatchObject(other);
    };
    await decided();
    const content = [{ type: 'text' as const, text: 'It was done.' }];
    await rig.record('segment-runner', run, { type: 'ToolCallSettled', data: { ...place, by: 'person', content } });
    await decided();
  });

  it('has its line in the effect ledger', async () => {
    const run = await waitingRun();
    const answer = (await (await rig.ask(`/v1/runs/${run}/effects`)).json()) as EffectsAnswer;
    expect(answer).toMatchObject({
      asOf: 5,
      effects: [{ callId, tool: 'bash', state: 'waiting', attempts: 0, approval: { state: 'pending' } }],
      totals: { executed: 0, notStarted: 0 },
    });
  });
});

describe('a message', () => {
  it('is received once under one key, with the same receipt', async () => {
    const run = await rig.aRun();
    const key = { 'idempotency-key': 'one' };
    const first = await wish(run, 'messages', { text: 'Hurry.' }, key);
    expect(first).toMatchObject({ status: 202, body: { revision: 1 } });
    expect(await wish(run, 'messages', { text: 'Hurry.' }, key)).toMatchObject({
      status: 202,
      body: { revision: 1, recorded: false },
    });
    expect(await wish(run, 'messages', { text: 'Hurry.' })).toMatchObject({ body: { revision: 2 } });
    expect(await view(run)).toMatchObject({ unread: 2 });
  });

  it('says which field is wrong', async () => {
    const run = await rig.aRun();
    const { status, body } = await wish(run, 'messages', { words: 'Hurry.' });
    expect(status).toBe(422);
    expect(body.errors?.map(({ field }) => field)).toContain('text');
  });
});

describe('pause and resume', () => {
  it('are recorded and shown', async () => {
    const run = await rig.aRun();
    expect(await wish(run, 'pause')).toMatchObject({ status: 202, body: { status: 'paused' } });
    expect(await wish(run, 'resume')).toMatchObject({ status: 202, body: { status: 'queued' } });
  });

  it('say that nothing was recorded where there is nothing to do', async () => {
    const run = await rig.aRun();
    const idle = { recorded: false, revision: 0, status: 'queued', detail: 'It is not paused.' };
    expect(await wish(run, 'resume')).toMatchObject({ status: 202, body: idle });
    expect(await wish(run, 'pause')).toMatchObject({ body: { recorded: true, revision: 1 } });
    const again = { recorded: false, revision: 1, status: 'paused', detail: 'It is paused already.' };
    expect(await wish(run, 'pause')).toMatchObject({ status: 202, body: again });
  });
});

describe('a wish from which nothing can come', () => {
  const verbs: readonly (readonly [string, object])[] = [
    ['pause', {}],
    ['resume', {}],
    ['messages', { text: 'Hurry.' }],
    ['caps', { caps: { steps: 9_000 } }],
    ['calls/1-0/approve', { inputDigest }],
    ['calls/1-0/deny', { inputDigest, reason: 'No.' }],
    ['calls/1-0/answer', { text: 'Red.' }],
  ];

  it.each(verbs)(
    'is refused with a stable code when the run has ended, or is being cancelled: %s',
    async (verb, body) => {
      const run = await waitingRun();
      expect(await wish(run, 'cancel')).toMatchObject({ status: 202, body: { recorded: true } });
      expect(await wish(run, 'cancel')).toMatchObject({ status: 202, body: { recorded: false } });
      expect(await wish(run, verb, body)).toMatchObject({ status: 409, body: { code: 'run-cancelling' } });
      const effects = { executed: 0, inDoubt: 0 };
      await rig.record('coordinator', run, { type: 'RunCancelled', data: { at, by: 'ann', effects } });
      expect(await wish(run, verb, body)).toMatchObject({ status: 409, body: { code: 'run-ended' } });
      expect(await wish(run, 'cancel')).toMatchObject({ status: 409, body: { code: 'run-ended' } });
    },
  );

  it('is refused where the model asks nothing, and where a cap is not raised', async () => {
    const run = await waitingRun();
    expect(await wish(run, 'calls/1-0/answer', { text: 'Red.' })).toMatchObject({ body: { code: 'not-asked' } });
    const steps = (limit: number) => wish(run, 'caps', { caps: { steps: limit } });
    expect(await steps(10)).toMatchObject({ status: 422, body: { code: 'cap-not-raised' } });
    expect(await steps(1_000)).toMatchObject({ status: 202, body: { recorded: false } });
    expect(await steps(1_001)).toMatchObject({ status: 202, body: { recorded: true } });
    await rig.record('coordinator', run, { type: 'RunHalted', data: { at, cap: 'tokens', reason: 'The cap.' } });
    expect(await steps(1_001)).toMatchObject({ status: 422, body: { code: 'cap-not-raised' } });
  });
});

describe('what a server allows', () => {
  it('bounds the caps of a run, when it starts and when they are raised', async () => {
    await rig.gateway.close();
    rig = await startRig({ limits: { caps: { steps: 1_000 }, openRuns: 10 } });
    const run = await rig.aRun();
    expect(await wish(run, 'caps', { caps: { steps: 2_000 } })).toMatchObject({
      status: 422,
      body: { code: 'cap-too-high' },
    });
    await rig.post('/v1/agents', { spec: { ...spec, caps: { steps: 5_000 } } });
    const refused = (await (await rig.post('/v1/runs', { agent: 'profiler' })).json()) as Problem;
    expect(refused.errors).toMatchObject([{ field: 'caps.steps' }]);
  });

  it('bounds the runs that are open', async () => {
    await rig.gateway.close();
    rig = await startRig({ limits: { caps: {}, openRuns: 1 } });
    await rig.aRun();
    const refused = await rig.post('/v1/runs', { agent: 'profiler' });
    expect([refused.status, ((await refused.json()) as Problem).code]).toEqual([429, 'too-many-runs']);
  });

  it('lets a halted run go on when its cap is raised', async () => {
    const run = await rig.aRun();
    await rig.record('coordinator', run, { type: 'RunHalted', data: { at, cap: 'steps', reason: 'The cap.' } });
    expect(await wish(run, 'caps', { caps: { steps: 2_000 } })).toMatchObject({ status: 202 });
    expect(await view(run)).toMatchObject({ status: 'starting', caps: { steps: { limit: 2_000 } } });
    expect((await view(run)).endedAt).toBeUndefined();
  });
});
