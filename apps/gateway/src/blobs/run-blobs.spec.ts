import type { Problem, RunEventOf, RunId } from '#contracts';
import { CallId } from '#contracts';
import { Blobs } from '#log';
import { sha256 } from '#platform';
import { type Rig, scheduled, started, startRig } from '../../test/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.gateway.close());

const at = new Date().toISOString();
const output = Buffer.from('line\n'.repeat(300_000));
const stored = (content: Buffer, mediaType: string) => new Blobs(rig.log).put(content, mediaType);
const get = (run: string, digest: string, headers = {}) => rig.ask(`/v1/runs/${run}/blobs/${digest}`, { headers });
const codeOf = async (response: Response): Promise<unknown> => [
  response.status,
  ((await response.json()) as Problem).code,
];

/** A run with a call whose whole output and picture lie in the blob store. */
async function aRunWithBlobs(): Promise<{ readonly run: RunId; readonly whole: string; readonly picture: string }> {
  const whole = await stored(output, 'text/plain; charset=utf-8');
  const blob = { ...(await stored(Buffer.from('picture'), 'image/png')), mediaType: 'image/png' as const };
  const call = { at, segment: 1, callId: CallId.parse('1-0') };
  const ended: RunEventOf['segment-runner'] = {
    type: 'ToolCallCompleted',
    data: { ...call, outcome: 'ok', content: [{ type: 'image', blob }], whole, durationMs: 1 },
  };
  const run = await rig.aRun();
  await rig.record('coordinator', run, scheduled(1));
  await rig.record('segment-runner', run, started(1), ended);
  return { run, whole: whole.digest, picture: blob.digest };
}

describe('a blob that a run’s log names', () => {
  it('is given as it is, with its type, to be kept for ever', async () => {
    const { run, whole, picture } = await aRunWithBlobs();
    const answer = await get(run, whole);
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(output)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      etag: `"${whole}"`,
      'cache-control': 'private, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    });
    expect((await get(run, picture)).headers.get('content-type')).toBe('image/png');
    expect((await get(run, whole, { 'if-none-match': `"${whole}"` })).status).toBe(304);
  });

  it.each([
    ['bytes=0-9', 0, 9],
    ['bytes=599998-600003', 599_998, 600_003],
    ['bytes=700000-', 700_000, 1_499_999],
    ['bytes=-7', 1_499_993, 1_499_999],
    ['bytes=1499990-9999999', 1_499_990, 1_499_999],
  ])('is given in part where a range is asked for: %s', async (range, first, last) => {
    const { run, whole } = await aRunWithBlobs();
    const answer = await get(run, whole, { range });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(`bytes ${first}-${last}/1500000`);
    expect(answer.headers.get('content-length')).toBe(`${last - first + 1}`);
    expect(Buffer.from(await answer.arrayBuffer()).equals(output.subarray(first, last + 1))).toBe(true);
  });

  it('is given whole where no single range of this very blob is asked for, and refused behind its end', async () => {
    const { run, whole } = await aRunWithBlobs();
    const others = [{ range: 'bytes=0-1,5-6' }, { range: 'lines=1-2' }, { range: 'bytes=9-1' }];
    for (const headers of [...others, { range: 'bytes=0-1', 'if-range': '"other"' }]) {
      const answer = await get(run, whole, headers);
      expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 1_500_000]);
    }
    expect((await get(run, whole, { range: 'bytes=0-1', 'if-range': `"${whole}"` })).status).toBe(206);
    const beyond = await get(run, whole, { range: 'bytes=1500000-' });
    expect(beyond.headers.get('content-range')).toBe('bytes */1500000');
    expect(await codeOf(beyond)).toEqual([416, 'range-beyond']);
  });

  it('tells its length and type without its content', async () => {
    const { run, whole } = await aRunWithBlobs();
    const answer = await rig.ask(`/v1/runs/${run}/blobs/${whole}`, { method: 'HEAD' });
    expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 0]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': '1500000',
      'content-type': 'text/plain; charset=utf-8',
      'accept-ranges': 'bytes',
    });
  });

  it('is not given for another run, nor one that only a model speaks of', async () => {
    const { whole } = await aRunWithBlobs();
    const other = await rig.aRun();
    await rig.record('coordinator', other, scheduled(1));
    await rig.record('segment-runner', other, started(1), {
      type: 'ModelTurnCompleted',
      data: {
        at,
        segment: 1,
        turn: 1,
        basedOn: 2,
        requestDigest: '0'.repeat(64),
        model: 'simulator',
        content: [{ type: 'tool_use', id: 'toolu_1', name: 'bash', input: { whole: { digest: whole, bytes: 1 } } }],
        stopReason: 'tool_use',
        usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
        durationMs: 1,
      },
    });
    expect(await codeOf(await get(other, whole))).toEqual([404, 'blob-unknown']);
    expect(await codeOf(await get(other, whole, { 'if-none-match': `"${whole}"` }))).toEqual([404, 'blob-unknown']);
  });

  it('has a problem with a stable code where it cannot be given', async () => {
    const { run, whole } = await aRunWithBlobs();
    expect(await codeOf(await get(run, 'nonsense'))).toEqual([422, 'invalid-request']);
    expect(await codeOf(await get(run, sha256('nobody')))).toEqual([404, 'blob-unknown']);
    expect(await codeOf(await get('01a00000-0000-7000-8000-000000000000', whole))).toEqual([404, 'run-unknown']);
    const last = await rig.log.last(`blob-${whole}`);
    await rig.log.remove(`blob-${whole}`, last?.revision ?? 0);
    expect(await codeOf(await get(run, whole))).toEqual([410, 'blob-gone']);
  });
});
