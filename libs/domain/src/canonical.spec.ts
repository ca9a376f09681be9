import fc from 'fast-check';
import { canonical } from './index.js';

describe('canonical JSON', () => {
  it('is the same whatever the order of keys, at any depth, and keeps that of arrays', () => {
    expect(canonical({ b: [{ y: 1, x: null }], a: 'z' })).toBe('{"a":"z","b":[{"x":null,"y":1}]}');
    expect(canonical(['b', 'a'])).toBe('["b","a"]');
  });

  it('leaves out what is absent and keeps an empty key', () => {
    expect(canonical({ b: undefined, '': 1, a: {} })).toBe('{"":1,"a":{}}');
  });

  it('reads back as the value that it names', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) =>
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value))),
      ),
    );
  });
});
