import { isStuck, type Look, type Watching, watched } from './bus-watch.js';

const after = (...looks: readonly Look[]): Watching =>
  looks.reduce(watched, { pid: 1, unserved: 0 } satisfies Watching);
const unserved: Look = { pid: 1, served: [false, false] };
const four = [unserved, unserved, unserved, unserved];

describe('a bus whose process lives', () => {
  it('is stuck when nobody was served at four looks in a row', () => {
    expect(isStuck(after(...four.slice(1)))).toBe(false);
    expect(isStuck(after(...four))).toBe(true);
    expect(isStuck(after(unserved, { pid: 1, served: [false, undefined] }, unserved, unserved))).toBe(true);
  });

  it('is not when somebody is served, when it was started again, or when there is none', () => {
    expect(isStuck(after(unserved, { pid: 1, served: [false, true] }, ...four.slice(1)))).toBe(false);
    expect(isStuck(after(...four.slice(1), { pid: 2, served: [false, false] }))).toBe(false);
    expect(isStuck(after(...four.slice(1), { pid: undefined, served: [false, false] }))).toBe(false);
  });

  it('is neither more nor less suspect when nobody says a word', () => {
    const silent: Look = { pid: 1, served: [undefined, undefined] };
    expect(isStuck(after(...four.slice(1), silent, silent))).toBe(false);
    expect(isStuck(after(...four.slice(1), silent, unserved))).toBe(true);
  });
});
