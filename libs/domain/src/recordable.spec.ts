import type { ModelBlock } from '#contracts';
import { facts } from '#testing';
import { recordable } from './index.js';

const { text, call } = facts;
const answer = (...content: ModelBlock[]) => ({ content, stopReason: 'tool_use' as const, model: 'm' });
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

describe('an answer that is to be recorded', () => {
  it('stays as it is when the log takes it', () => {
    const usual = answer(text('So.'), call('bash', { command: 'x'.repeat(100_000) }));
    expect(recordable(usual)).toBe(usual);
  });

  it('loses a call that is too large, and every call after it, and says so', () => {
    const large = call('write_file', { path: 'a', content: 'x'.repeat(2_000_000) });
    const kept = recordable(answer(text('I write it.'), large, call('bash', { command: 'true' })));
    expect(kept).toMatchObject({ model: 'm', stopReason: 'max_tokens' });
    expect(kept.content).toEqual([
      text('I write it.'),
      { type: 'text', text: expect.stringMatching(/^\[A call of write_file .* was not begun/) as string },
    ]);
  });

  it.each(['x', '\u0001', 'ü', '\u{1f600}'])('keeps the beginning of a text that is too long: %j', (character) => {
    const kept = recordable(answer(text('Before.'), text(character.repeat(1_000_000))));
    expect(kept.content).toHaveLength(2);
    expect(bytesOf(kept.content)).toBeLessThan(460_000);
    expect(bytesOf(kept.content)).toBeGreaterThan(10_000);
  });
});
