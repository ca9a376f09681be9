import { isStuck, type Look, startedAgain, UNWATCHED, type Watching, watched } from './bus-watch.js';

const after = (...looks: readonly Look[]): Watching => looks.reduce(watched, { ...UNWATCHED, pid: 1 });
const unserved: Look = { pid: 1, served: [false, false] };
const four = [unserved, unserved, unserved, unserved];

describe('a bus whose process lives', () => {
  it('is stuck when somebody was not served at four looks in a row', () => {
    expect(isStuck(after(...four.slice(1)))).toBe(false);
    expect(isStuck(after(...four))).toBe(true);
    expect(isStuck(after(unserved, { pid: 1, served: [false, undefined] }, unserved, unserved))).toBe(true);
    expect(isStuck(after(unserved, { pid: 1, served: [true, false] }, unserved, unserved))).toBe(true);
  });

  it('is not when all are served who say a word, when it was started again, or when there is none', () => {
    expect(isStuck(after(unserved, { pid: 1, served: [undefined, true] }, ...four.slice(1)))).toBe(false);
    expect(isStuck(after(...four.slice(1), { pid: 2, served: [false, false] }))).toBe(false);
    expect(isStuck(after(...four.slice(1), { pid: undefined, served: [false, false] }))).toBe(false);
  });

  it('is neither more nor less suspect when nobody says a word', () => {
    const silent: Look = { pid: 1, served: [undefined, undefined] };
    expect(isStuck(after(...four.slice(1), silent, silent))).toBe(false);
    expect(isStuck(after(...four.slice(1), silent, unserved))).toBe(true);
  });

  it('is started again less and less often while that does not help', () => {
    const nobody: Look = { pid: 2, served: [false] };
    const somebody: Look = { pid: 2, served: [true] };
    const seen = (before: Watching, look: Look, times: number): Watching =>
      Array.from({ length: times }, () => look).reduce(watched, before);
    const again = watched(startedAgain(after(...four)), { pid: 2, served: [undefined] });
    expect(isStuck(seen(again, nobody, 7))).toBe(false);
    expect(isStuck(seen(again, nobody, 8))).toBe(true);
    // A disk that is full shows only when something is to be stored.
    expect(isStuck(seen(seen(again, somebody, 2), nobody, 7))).toBe(false);
    expect(isStuck(seen(seen(again, somebody, 3), nobody, 4))).toBe(true);
  });

  it('is looked after for ever, however often that did not help', () => {
    const restarts = Array.from({ length: 50 }).reduce<Watching>(startedAgain, after(...four));
    const looks = Array.from({ length: 17 }, (): Look => ({ pid: 2, served: [false] }));
    expect(isStuck(looks.reduce(watched, restarts))).toBe(true);
  });
});
