import type { EventPage, Problem, RunRow, RunView } from '#contracts';
import { RunView as RunViews } from '#contracts';
import { completed, KEY, type Rig, scheduled, spec, started, startRig, typesOf } from '../../test/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.gateway.close());

const read = async <T>(response: Response): Promise<T> => (await response.json()) as T;

async function problem(response: Response, status: number, code: string): Promise<Problem> {
  const body = await read<Problem>(response);
  expect({ status: response.status, code: body.code }).toEqual({ status, code });
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return body;
}

async function typesIn(run: string): Promise<readonly string[]> {
  const events = [];
  for await (const event of rig.log.read(`run-${run}`)) events.push(event);
  return typesOf(events);
}

describe('starting a run', () => {
  it('records the wish and answers with the run and its place', async () => {
    await rig.post('/v1/agents', { spec });
    const response = await rig.post('/v1/runs', {
      agent: 'profiler',
      items: [{ id: 'a', input: 'a.csv' }],
      caps: { segments: 3 },
    });
    const run = RunViews.parse(await read(response));
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe(`/v1/runs/${run.id}`);
    expect(run).toMatchObject({ status: 'queued', items: { total: 1 }, agent: { name: 'profiler', version: 1 } });
    expect(run.caps).toMatchObject({ segments: { used: 0, limit: 3 }, steps: { limit: 1_000 } });
    expect(await typesIn(run.id)).toEqual(['RunRequested']);
  });

  it('starts one run for twenty posts at once with one key', async () => {
    await rig.post('/v1/agents', { spec });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        rig.post('/v1/runs', { agent: 'profiler' }, { 'idempotency-key': 'monday' }).then(async (response) => ({
          status: response.status,
          id: (await read<RunView>(response)).id,
        })),
      ),
    );
    const ids = new Set(answers.map(({ id }) => id));
    expect(ids.size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(await typesIn([...ids].join(''))).toEqual(['RunRequested']);
  });

  it('refuses another body with a key that was used', async () => {
    await rig.post('/v1/agents', { spec });
    await rig.post('/v1/runs', { agent: 'profiler' }, { 'idempotency-key': 'k' });
    const other = await rig.post('/v1/runs', { agent: 'profiler', input: 'x' }, { 'idempotency-key': 'k' });
    await problem(other, 422, 'idempotency-key-reused');
  });

  it('gives the same run for the same key after the agent has got a new version', async () => {
    await rig.post('/v1/agents', { spec });
    const first = await read<RunView>(await rig.post('/v1/runs', { agent: 'profiler' }, { 'idempotency-key': 'k' }));
    await rig.post('/v1/agents', { spec: { ...spec, instructions: 'Otherwise.' } });
    const again = await rig.post('/v1/runs', { agent: 'profiler' }, { 'idempotency-key': 'k' });
    expect(again.status).toBe(200);
    expect(await read<RunView>(again)).toMatchObject({ id: first.id, agent: { version: 1 } });
  });

  it.each([
    ['raised caps', { caps: { segments: 21 } }, 'caps.segments'],
    ['a segment shorter than its reserve', { caps: { segmentSeconds: 5 } }, 'caps.segmentSeconds'],
    [
      'an item id that is there twice',
      {
        items: [
          { id: 'a', input: 1 },
          { id: 'a', input: 2 },
        ],
      },
      'items.1.id',
    ],
    [
      'more items than allowed',
      {
        items: [
          { id: 'a', input: 1 },
          { id: 'b', input: 2 },
        ],
        caps: { items: 1 },
      },
      'items',
    ],
    ['an item without an id', { items: [{ input: 1 }] }, 'items.0.id'],
    ['a field that is not known', { agnt: 'x' }, 'agnt'],
  ])('refuses %s, naming the field', async (_what, body, field) => {
    await rig.post('/v1/agents', { spec });
    const { errors } = await problem(
      await rig.post('/v1/runs', { agent: 'profiler', ...body }),
      422,
      'invalid-request',
    );
    expect(errors?.[0]?.field).toBe(field);
  });

  it('refuses an agent or a version that is not there', async () => {
    await problem(await rig.post('/v1/runs', { agent: 'nobody' }), 422, 'agent-unknown');
    await rig.post('/v1/agents', { spec });
    const { errors } = await problem(
      await rig.post('/v1/runs', { agent: 'profiler', version: 7 }),
      422,
      'agent-unknown',
    );
    expect(errors?.[0]?.field).toBe('version');
  });

  it('refuses what is too large for one event', async () => {
    await rig.post('/v1/agents', { spec });
    const items = Array.from({ length: 10 }, (_, id) => ({ id: String(id), input: 'x'.repeat(100_000) }));
    await problem(await rig.post('/v1/runs', { agent: 'profiler', items }), 413, 'run-too-large');
  });

  it('refuses a body that is no JSON, and one that is too large', async () => {
    await problem(await rig.post('/v1/runs', '{"agent": '), 400, 'invalid-json');
    await problem(await rig.post('/v1/runs', `"${'x'.repeat(20_000_001)}"`), 413, 'body-too-large');
  });

  it('refuses a key that cannot be one', async () => {
    const answer = await rig.post('/v1/runs', { agent: 'profiler' }, { 'idempotency-key': 'x'.repeat(201) });
    expect((await problem(answer, 422, 'invalid-request')).errors?.[0]?.field).toBe('Idempotency-Key');
  });
});

describe('looking at runs', () => {
  it('tells the state that the log has at this moment', async () => {
    const run = await rig.aRun();
    await rig.record('coordinator', run, scheduled(1));
    await rig.record('segment-runner', run, started(1));
    const view = RunViews.parse(await read(await rig.ask(`/v1/runs/${run}`)));
    expect(view).toMatchObject({
      status: 'starting',
      asOf: { revision: 2, type: 'SegmentStarted' },
      segment: { number: 1, of: 20, runnerId: 'runner-1', pid: 4_242 },
      heartbeat: { verdict: 'unknown' },
    });
    await rig.record('coordinator', run, completed);
    expect(await read(await rig.ask(`/v1/runs/${run}`))).toMatchObject({ status: 'completed', result: 'All is well.' });
  });

  it('lists the newest first, by status too, each just started one included', async () => {
    const [first, second, third] = [await rig.aRun(), await rig.aRun(), await rig.aRun()];
    await rig.record('coordinator', second, completed);
    const list = async (query: string) => (await read<{ runs: RunRow[] }>(await rig.ask(`/v1/runs${query}`))).runs;
    expect((await list('')).map(({ id }) => id)).toEqual([third, second, first]);
    expect((await list('?limit=1')).map(({ id }) => id)).toEqual([third]);
    expect(await list('?status=completed')).toMatchObject([{ id: second, status: 'completed' }]);
    expect((await list('?status=queued')).map(({ id }) => id)).toEqual([third, first]);
  });

  it('knows no run by an id that is none, or that nobody has', async () => {
    await problem(await rig.ask('/v1/runs/7'), 404, 'run-unknown');
    await problem(await rig.ask('/v1/runs/0198a6a2-0000-7000-8000-000000000000'), 404, 'run-unknown');
    await problem(await rig.ask('/v1/runs/0198a6a2-0000-7000-8000-000000000000/events'), 404, 'run-unknown');
    await problem(await rig.post('/v1/runs/0198a6a2-0000-7000-8000-000000000000/cancel', {}), 404, 'run-unknown');
  });

  it('refuses limits out of their range', async () => {
    const run = await rig.aRun();
    await problem(await rig.ask('/v1/runs?limit=0'), 422, 'invalid-request');
    await problem(await rig.ask('/v1/runs?limit=501'), 422, 'invalid-request');
    await problem(await rig.ask('/v1/runs?status=odd'), 422, 'invalid-request');
    await problem(await rig.ask(`/v1/runs/${run}/events?limit=1001`), 422, 'invalid-request');
    await problem(await rig.ask(`/v1/runs/${run}/events?from=-1`), 422, 'invalid-request');
  });

  it('pages through the events to the end', async () => {
    const run = await rig.aRun();
    await rig.record('coordinator', run, scheduled(1));
    await rig.record('segment-runner', run, started(1));
    const page = async (query: string) => read<EventPage>(await rig.ask(`/v1/runs/${run}/events${query}`));
    expect(await page('?limit=2')).toMatchObject({ events: [{ revision: 0 }, { revision: 1 }], next: 2, end: false });
    expect(await page('?from=2&limit=2')).toMatchObject({ events: [{ revision: 2 }], next: 3, end: true });
    expect(await page('?from=3')).toEqual({ events: [], next: 3, end: true });
  });
});

describe('cancelling a run', () => {
  it('records the wish once and gives the same receipt again', async () => {
    const run = await rig.aRun();
    const first = await rig.post(`/v1/runs/${run}/cancel`, { reason: 'enough' });
    expect(first.status).toBe(202);
    expect(await read(first)).toEqual({ id: run, revision: 1, status: 'cancelling', recorded: true });
    await rig.record('coordinator', run, scheduled(1));
    const again = await rig.ask(`/v1/runs/${run}/cancel`, { method: 'POST' });
    expect({ status: again.status, body: await read(again) }).toMatchObject({ status: 202, body: { revision: 1 } });
    expect(await typesIn(run)).toEqual(['RunRequested', 'CancelRequested', 'SegmentScheduled']);
  });

  it('is refused on a run that has ended, saying how', async () => {
    const run = await rig.aRun();
    await rig.record('coordinator', run, completed);
    const { detail } = await problem(await rig.post(`/v1/runs/${run}/cancel`, {}), 409, 'run-ended');
    expect(detail).toMatch(/Completed/);
    expect(await typesIn(run)).toEqual(['RunRequested', 'RunCompleted']);
  });
});

describe('the door', () => {
  it.each([undefined, 'Bearer wrong', `Basic ${KEY}`])(
    'stays shut for %s, saying where the key lies',
    async (authorization) => {
      const response = await fetch(`${rig.url}/v1/runs`, authorization ? { headers: { authorization } } : {});
      expect((await problem(response, 401, 'unauthorized')).detail).toMatch(/api-key/);
      expect(response.headers.get('www-authenticate')).toMatch(/Bearer/);
    },
  );

  it('tells its health to everybody', async () => {
    expect((await fetch(`${rig.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${rig.url}/health/ready`)).status).toBe(200);
  });

  it('answers an unknown route with a problem', async () => {
    await problem(await rig.ask('/v1/nothing'), 404, 'not-found');
  });
});
