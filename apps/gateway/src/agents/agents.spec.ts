import type { AgentVersion, Problem } from '#contracts';
import { sha256 } from '#platform';
import { type Rig, spec, startRig } from '../../test/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.gateway.close());

const read = async <T>(response: Response): Promise<T> => (await response.json()) as T;

describe('applying an agent', () => {
  it('makes a version for new content and none for the same', async () => {
    const first = await rig.post('/v1/agents', { spec });
    const again = await rig.post('/v1/agents', { spec });
    const other = await rig.post('/v1/agents', { spec: { ...spec, instructions: 'Otherwise.' } });
    expect([first.status, again.status, other.status]).toEqual([201, 200, 201]);
    const [one, same, two] = [await read<AgentVersion>(first), await read(again), await read<AgentVersion>(other)];
    expect(same).toMatchObject({ version: 1, digest: one.digest });
    expect(two.version).toBe(2);
    expect(await read(await rig.ask('/v1/agents/profiler'))).toMatchObject({ version: 2 });
    expect(await read(await rig.ask('/v1/agents/profiler?version=1'))).toMatchObject({
      version: 1,
      spec: { name: 'profiler' },
    });
    expect(await read(await rig.ask('/v1/agents'))).toMatchObject({ agents: [{ name: 'profiler', version: 2 }] });
  });

  it('gives each of many who apply at once a version of their own', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => rig.post('/v1/agents', { spec: { ...spec, instructions: `Way ${n}` } })),
    );
    const versions = await Promise.all(answers.map(async (answer) => (await read<AgentVersion>(answer)).version));
    expect(versions.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it.each([
    ['a simulator with nothing to play', { spec: { ...spec, simulate: undefined } }, 'spec.simulate'],
    [
      'a reserve as long as the segment',
      { spec: { ...spec, caps: { segmentSeconds: 5, reserveSeconds: 5 } } },
      'spec.caps.reserveSeconds',
    ],
    ['a tool that is none', { spec: { ...spec, tools: ['fly'] } }, 'spec.tools.0'],
    ['a name that is none', { spec: { ...spec, name: 'A b' } }, 'spec.name'],
    [
      'a file outside of the workspace',
      { spec, files: [{ path: '../x', digest: '0'.repeat(64), bytes: 1, executable: false }] },
      'files.0.path',
    ],
  ])('refuses %s, naming the field', async (_what, body, field) => {
    const answer = await rig.post('/v1/agents', body);
    expect(answer.status).toBe(422);
    expect((await read<Problem>(answer)).errors?.[0]?.field).toBe(field);
  });

  it('takes files only after their contents', async () => {
    const digest = sha256('a,b\n');
    const files = [{ path: 'a.csv', digest, bytes: 4, executable: false }];
    const early = await rig.post('/v1/agents', { spec, files });
    expect(await read<Problem>(early)).toMatchObject({
      status: 422,
      code: 'blob-missing',
    });
    expect((await rig.ask(`/v1/blobs/${digest}`, { method: 'PUT', body: 'a,b\n' })).status).toBe(201);
    expect((await rig.post('/v1/agents', { spec, files })).status).toBe(201);
  });

  it('knows no agent that nobody has applied', async () => {
    expect((await rig.ask('/v1/agents/nobody')).status).toBe(404);
    expect((await rig.ask('/v1/agents/nobody?version=x')).status).toBe(422);
  });
});

describe('blobs', () => {
  const digest = sha256('content');

  it('are stored once, by their digest', async () => {
    expect((await rig.ask(`/v1/blobs/${digest}`, { method: 'HEAD' })).status).toBe(404);
    expect((await rig.ask(`/v1/blobs/${digest}`, { method: 'PUT', body: 'content' })).status).toBe(201);
    expect((await rig.ask(`/v1/blobs/${digest}`, { method: 'PUT', body: 'content' })).status).toBe(200);
    expect((await rig.ask(`/v1/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200);
  });

  it('are refused under a wrong name, and when they are too large', async () => {
    const wrong = await rig.ask(`/v1/blobs/${digest}`, { method: 'PUT', body: 'other' });
    expect({ status: wrong.status, code: (await read<Problem>(wrong)).code }).toEqual({
      status: 422,
      code: 'digest-mismatch',
    });
    expect((await rig.ask('/v1/blobs/xyz', { method: 'PUT', body: 'x' })).status).toBe(422);
    const large = await rig.ask(`/v1/blobs/${digest}`, { method: 'PUT', body: Buffer.alloc(50_000_001) });
    expect({ status: large.status, code: (await read<Problem>(large)).code }).toEqual({
      status: 413,
      code: 'body-too-large',
    });
  });
});
