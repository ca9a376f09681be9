import { canonical } from './index.js';

describe('canonical JSON', () => {
  it('is the same whatever the order of keys, at any depth, and keeps that of arrays', () => {
    expect(canonical({ b: [{ y: 1, x: null }], a: 'z' })).toBe('{"a":"z","b":[{"x":null,"y":1}]}');
    expect(canonical(['b', 'a'])).toBe('["b","a"]');
  });
});
