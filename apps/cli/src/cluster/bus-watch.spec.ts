import { isStuck, type Look, startedAgain, UNWATCHED, type Watching, watched } from './bus-watch.js';

const after = (...looks: readonly Look[]): Watching => looks.reduce(watched, { ...UNWATCHED, pid: 1 });
const unserved: Look = { pid: 1, served: [false, false] };
const two = [unserved, unserved];

describe('a bus whose process lives', () => {
  it('is stuck when somebody was not served at two looks in a row', () => {
    expect(isStuck(after(unserved))).toBe(false);
    expect(isStuck(after(...two))).toBe(true);
    expect(isStuck(after(unserved, { pid: 1, served: [false, undefined] }))).toBe(true);
    expect(isStuck(after(unserved, { pid: 1, served: [true, false] }))).toBe(true);
  });

  it('is not when all are served who say a word, when it was started again, or when there is none', () => {
    expect(isStuck(after(unserved, { pid: 1, served: [undefined, true] }, unserved))).toBe(false);
    expect(isStuck(after(unserved, { pid: 2, served: [false, false] }))).toBe(false);
    expect(isStuck(after(unserved, { pid: undefined, served: [false, false] }))).toBe(false);
  });

  it('is neither more nor less suspect when nobody says a word', () => {
    const silent: Look = { pid: 1, served: [undefined, undefined] };
    expect(isStuck(after(unserved, silent, silent))).toBe(false);
    expect(isStuck(after(unserved, silent, unserved))).toBe(true);
  });

  it('is started again less and less often while that does not help', () => {
    const nobody: Look = { pid: 2, served: [false] };
    const somebody: Look = { pid: 2, served: [true] };
    const seen = (before: Watching, look: Look, times: number): Watching =>
      Array.from({ length: times }, () => look).reduce(watched, before);
    const again = (times: number): Watching =>
      watched(Array.from({ length: times }).reduce<Watching>(startedAgain, after(...two)), {
        pid: 2,
        served: [undefined],
      });
    const borne = (watching: Watching): number =>
      Array.from({ length: 100 }, (_, looks) => looks).findIndex((looks) => isStuck(seen(watching, nobody, looks)));
    expect([1, 2, 3, 4].map((times) => borne(again(times)))).toEqual([2, 4, 8, 16]);
    // A disk that is full shows only when something is to be stored.
    expect(borne(seen(again(3), somebody, 1))).toBe(8);
    expect(borne(seen(again(3), somebody, 2))).toBe(2);
  });

  it('is looked after for ever, however often that did not help', () => {
    const restarts = Array.from({ length: 50 }).reduce<Watching>(startedAgain, after(...two));
    const looks = Array.from({ length: 33 }, (): Look => ({ pid: 2, served: [false] }));
    expect(isStuck(looks.reduce(watched, restarts))).toBe(true);
  });
});
