import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MOST_MEDIA_BYTES } from '#contracts';
import { Blobs } from '#log';
import { aSpec, Bench, finished, Rig } from '../../test/rig.js';

const PNG = Buffer.from('\x89PNG\r\n\x1a\n of a few bytes', 'latin1');
const SECRET = 'canary-0f63b1e9';

describe('a file that is an image or a PDF', () => {
  const rig = new Rig();
  let bench: Bench;
  const write = (name: string, content: Buffer | string): void =>
    writeFileSync(join(rig.files(bench.runId), name), content);
  const read = (path: string, more = {}) => bench.call('read_file', { path, ...more });

  beforeAll(async () => {
    const secrets = { variables: new Map([['KEY', SECRET]]), folder: undefined };
    bench = await new Bench(await rig.manager('data', { secrets })).open(aSpec(), [], {
      http: [],
      mcp: {},
      secrets: ['KEY'],
    });
  });
  afterAll(() => rig.close());

  it.each([
    ['an image', 'photo.txt', PNG, { type: 'image', blob: { mediaType: 'image/png', bytes: PNG.byteLength } }],
    ['a PDF', 'report', '%PDF-1.7 ...', { type: 'document', blob: { mediaType: 'application/pdf' }, title: 'report' }],
  ])('is shown as %s by its content, whatever it is called', async (_, name, content, block) => {
    write(name, content);
    const state = await read(name);
    expect(state).toMatchObject({ outcome: 'ok', content: [block] });
    const shown = state.state === 'finished' ? state.content[0] : undefined;
    const digest = shown && 'blob' in shown ? shown.blob.digest : '';
    expect(await new Blobs(rig.log).get(digest)).toEqual(Buffer.from(content));
    expect(JSON.stringify(state).length).toBeLessThan(500);
  });

  it('is text when it is text, and when a part of it is asked for', async () => {
    write('photo.png', 'no photo');
    expect(finished(await read('photo.png')).text).toBe('no photo');
    write('drawing.pdf', '%PDF-1.7\nline two\n');
    expect(finished(await read('drawing.pdf', { offset: 1 })).text).toBe('line two\n');
  });

  it('is refused when it is larger than a model can be shown', async () => {
    write('large.png', Buffer.concat([PNG, Buffer.alloc(MOST_MEDIA_BYTES.image)]));
    const { outcome, text } = finished(await read('large.png'));
    expect(outcome).toBe('error');
    expect(text).toMatch(/^large\.png is image\/png of \d+ bytes; at most 5242880 can be shown\./);
  });

  it('is not shown when it holds a secret', async () => {
    write('key.png', Buffer.concat([PNG, Buffer.from(SECRET)]));
    const state = await read('key.png');
    expect(finished(state).text).toBe('[1 of 1 images and documents hold a secret: not shown]');
    expect(state).toMatchObject({ content: [{ type: 'text' }] });
  });
});
