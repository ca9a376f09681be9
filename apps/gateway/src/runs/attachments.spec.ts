import type { MediaBlock, Problem, RunId } from '#contracts';
import { sha256 } from '#platform';
import { type Rig, spec, startRig } from '../../test/rig.js';

const PNG = Buffer.from('\x89PNG\r\n\x1a\n of a few bytes', 'latin1');
const image = (content: Buffer = PNG, mediaType: 'image/png' | 'image/gif' = 'image/png'): MediaBlock => ({
  type: 'image',
  blob: { digest: sha256(content), bytes: content.byteLength, mediaType },
});

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.gateway.close());

const store = (content: Buffer) =>
  rig.ask(`/v1/blobs/${sha256(content)}`, { method: 'PUT', body: new Uint8Array(content) });
const dataOf = async (run: RunId, revision: number): Promise<unknown> => {
  for await (const { data } of rig.log.read(`run-${run}`, revision, 1)) return data;
  return undefined;
};

describe('images and documents that people send', () => {
  it('are recorded by their digests, with a run and with a message', async () => {
    await store(PNG);
    const run = await rig.aRun({ input: 'What is this?', attachments: [image()] });
    expect(await dataOf(run, 0)).toMatchObject({ input: 'What is this?', attachments: [image()] });
    const told = await rig.post(`/v1/runs/${run}/messages`, { text: 'And this?', attachments: [image()] });
    expect(told.status).toBe(202);
    expect(await dataOf(run, 1)).toMatchObject({ text: 'And this?', attachments: [image()] });
  });

  const manyPages: MediaBlock = {
    type: 'document',
    blob: { digest: sha256('%PDF-'.padEnd(9_000_000)), bytes: 9_000_000, mediaType: 'application/pdf' },
  };
  it.each([
    ['whose content was never sent', image(Buffer.from('nobody has it')), /its content is not there/],
    ['that are something else than is said', image(PNG, 'image/gif'), /said to be image\/gif, but it is image\/png/],
    ['whose size is not what is said', { ...image(), blob: { ...image().blob, bytes: 7 } }, /bytes, not 7/],
    ['that fill the window of the model', manyPages, /more than half of the model's window/],
  ])('are refused %s', async (_, block, why) => {
    await store(PNG);
    await store(Buffer.from('%PDF-'.padEnd(9_000_000)));
    await rig.post('/v1/agents', { spec });
    const started = await rig.post('/v1/runs', { agent: 'profiler', attachments: [block] });
    const { status, detail } = (await started.json()) as Problem;
    expect({ status, detail }).toEqual({ status: 422, detail: expect.stringMatching(why) as string });
    const run = await rig.aRun();
    const told = await rig.post(`/v1/runs/${run}/messages`, { text: 'Look.', attachments: [block] });
    expect((await told.json()) as Problem).toMatchObject({ status: 422, detail: expect.stringMatching(why) as string });
  });
});
