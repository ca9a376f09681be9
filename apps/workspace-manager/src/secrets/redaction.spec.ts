import fc from 'fast-check';
import { Redactor } from './redaction.js';

const value = 'pä$$/word "42" +x';
const redactor = new Redactor([{ name: 'KEY', value }]);
const bytes = Buffer.from(value);
const base64 = bytes.toString('base64');

describe('redaction', () => {
  it.each([
    ['as it is', value],
    ['in JSON', JSON.stringify(value).slice(1, -1)],
    [
      'in JSON with every other character escaped',
      value.replace(/[^a-z]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
    ],
    ['in a URL', encodeURIComponent(value)],
    ['in a form', new URLSearchParams({ '': value }).toString().slice(1)],
    ['in hexadecimal digits', bytes.toString('hex')],
    ['in base64', base64],
    ['in base64 for URLs', bytes.toString('base64url')],
    ['in base64 of several lines', base64.replace(/(.{7})/g, '$1\n')],
    ['in the base64 of a user and a password', Buffer.from(`me:${value}`).toString('base64')],
    ['in the base64 of a longer user', Buffer.from(`she:${value}`).toString('base64')],
  ])('finds a secret %s', (_, text) => {
    const found = redactor.text(`before ${text} after`);
    expect(found).toContain('[secret KEY]');
    expect(found).toMatch(/^before .{0,6}\[secret KEY\].{0,4} after$/s);
  });

  it('finds a line of a secret of several lines', () => {
    const pem = new Redactor([{ name: 'PEM', value: `-----BEGIN-----\n${'A1'.repeat(20)}\n-----END-----` }]);
    expect(pem.text(`> ${'A1'.repeat(20)} <`)).toBe('> [secret PEM] <');
  });

  it('leaves everything else as it is, bytes too', () => {
    const output = Buffer.from([0, 255, 254, 10, 112, 195]);
    expect(redactor.bytes(output)).toEqual(output);
    expect(redactor.json({ a: ['x', 1, null, true] })).toEqual({ a: ['x', 1, null, true] });
    expect(redactor.json({ [value]: { b: value } })).toEqual({ '[secret KEY]': { b: '[secret KEY]' } });
  });

  it('finds it across the borders of any pieces, and holds back no more than may be its start', () => {
    const whole = `one ${value} two ${base64} three pä$$/wor four`;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 80 }), (lengths) => {
        let text = Buffer.from(whole).toString('latin1');
        let [done, held] = ['', ''];
        for (const length of lengths) {
          const piece = redactor.pieces(held + text.slice(0, length), false);
          text = text.slice(length);
          done += piece.done;
          held = piece.rest;
          expect(held.length).toBeLessThanOrEqual(base64.length * 3);
        }
        done += redactor.pieces(held + text, true).done;
        expect(Buffer.from(done, 'latin1').toString()).toBe(redactor.text(whole));
      }),
    );
    expect(redactor.pieces('ready\n', false)).toEqual({ done: 'ready\n', rest: '' });
  });
});
