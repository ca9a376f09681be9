import type { BlockParam, MessageParam, MessagesRequest } from './messages-request.js';
import { PromptCache } from './prompt-cache.js';

const mark = { cache_control: { type: 'ephemeral' as const } };
const system = [{ type: 'text' as const, text: 'x'.repeat(8_000), ...mark }];
const user = (text: string, marked = false): MessageParam => ({
  role: 'user',
  content: [{ type: 'text', text, ...(marked ? mark : {}) }],
});
const request = (...messages: readonly MessageParam[]): MessagesRequest => ({ model: 'm', system, messages });
const said: MessageParam = { role: 'assistant', content: [{ type: 'text', text: 'Y'.repeat(40) }] };
const first = request(user('a'.repeat(400), true));

describe('the prompt cache', () => {
  it('is written to by the first request and read by the next, which pays for what is new', () => {
    const cache = new PromptCache();
    expect(cache.use('run', first)).toEqual({ read: 0, written: 2_100, fresh: 0 });
    expect(cache.use('run', request(user('a'.repeat(400)), said, user('b'.repeat(80), true)))).toEqual({
      read: 2_100,
      written: 30,
      fresh: 0,
    });
  });

  it('counts as fresh what comes after the last mark', () => {
    expect(new PromptCache().use('run', request(user('a'.repeat(400))))).toEqual({
      read: 0,
      written: 2_000,
      fresh: 100,
    });
  });

  it('reads nothing behind a change, and all before it', () => {
    const cache = new PromptCache();
    cache.use('run', first);
    expect(cache.use('run', request(user('b'.repeat(400), true)))).toEqual({ read: 2_000, written: 100, fresh: 0 });
    expect(cache.use('run', { ...first, system: 'other' })).toMatchObject({ read: 0 });
  });

  it('is one for each run and model', () => {
    const cache = new PromptCache();
    cache.use('run', first);
    expect(cache.use('another', first).read).toBe(0);
    expect(cache.use('run', { ...first, model: 'n' }).read).toBe(0);
    expect(cache.use('run', first).read).toBe(2_100);
  });

  it('remembers nothing that is short', () => {
    const cache = new PromptCache();
    const short = { model: 'm', messages: [user('a'.repeat(4_000), true)] };
    expect(cache.use('run', short)).toEqual({ read: 0, written: 0, fresh: 1_000 });
    expect(cache.use('run', short).read).toBe(0);
  });

  it('looks back twenty blocks from a mark and no further', () => {
    const after = (blocks: number): MessagesRequest => {
      const many = Array.from({ length: blocks }, (_, place): BlockParam => ({ type: 'text', text: `block ${place}` }));
      const end: BlockParam = { type: 'text', text: 'end', ...mark };
      return { model: 'm', messages: [user('a'.repeat(8_000)), { role: 'user', content: [...many, end] }] };
    };
    const reads = [18, 19].map((blocks) => {
      const cache = new PromptCache();
      cache.use('run', { model: 'm', messages: [user('a'.repeat(8_000), true)] });
      return cache.use('run', after(blocks)).read;
    });
    expect(reads).toEqual([2_000, 0]);
  });
});
