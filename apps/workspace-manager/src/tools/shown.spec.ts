import fc from 'fast-check';
import { shown } from './shown.js';

describe('what is shown of an output', () => {
  it('is all of it within the limit', () => {
    expect(shown(Buffer.from('äb'), 3)).toEqual({ text: 'äb', cut: false });
  });

  it('is head and tail beyond it, with how much was left out', () => {
    const { text, cut } = shown(Buffer.from(`${'a'.repeat(500)}${'b'.repeat(500)}`), 280);
    expect(cut).toBe(true);
    expect(text).toBe(`${'a'.repeat(100)}\n[… 800 of 1000 bytes left out …]\n${'b'.repeat(100)}`);
  });

  it('never exceeds a limit with room for the line, cuts no character, and accounts for every byte', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 600 }),
        fc.integer({ min: 200, max: 1_000 }),
        (output, limit) => {
          const { text, cut } = shown(Buffer.from(output), limit);
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
          const [, head = '', left = 0, tail = ''] = cut
            ? (/^(.*)\n\[… (\d+) of \d+ bytes left out …\]\n(.*)$/s.exec(text) ?? [])
            : [text, text];
          expect(output.startsWith(head) && output.endsWith(tail)).toBe(true);
          expect(Buffer.byteLength(head + tail) + Number(left)).toBe(Buffer.byteLength(output));
        },
      ),
    );
  });
});
